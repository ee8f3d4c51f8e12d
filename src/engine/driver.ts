import { partitionOf, meterKey } from '../kernel/ids.ts'
import { MICROS_PER_MILLI } from '../kernel/time.ts'
import type { Clock, Micros } from '../kernel/time.ts'
import { MemoryLog } from '../log/memory.ts'
import { CONTROL_HEADER, topicNames } from '../log/topics.ts'
import type { Registry } from '../registry/registry.ts'
import type { Codecs } from '../schemas/codecs.ts'
import type { Reading } from '../schemas/records.ts'
import type { Pipeline } from './dsl.ts'
import { Outputs } from './rows.ts'
import type { RowBatch } from './sink.ts'
import { Task } from './task.ts'

export interface DriverOptions {
  readonly pipeline: Pipeline
  readonly registry: Registry
  readonly codecs: Codecs
  readonly partitions?: number
  /** Records that a task is handed at once. */
  readonly batchRecords?: number
}

export type Row = Readonly<Record<string, number | boolean | string | undefined>>

/** A clock that moves only when it is told to. */
export class HandClock implements Clock {
  micros: Micros = Date.UTC(2026, 0, 1) * MICROS_PER_MILLI

  nowMicros(): Micros {
    return this.micros
  }

  monotonicMillis(): number {
    return this.micros / MICROS_PER_MILLI
  }
}

/**
 * Drives a pipeline in a test: the same tasks as in production, on the memory log, with append time
 * moved by hand. `crashAndRestore` throws the tasks away and makes them anew from the log.
 */
export class Driver {
  readonly clock = new HandClock()
  readonly log = new MemoryLog(this.clock)
  private readonly topics = topicNames()
  private readonly options: DriverOptions
  private readonly partitions: number
  private outputs = new Outputs()
  private tasks: Task[] = []
  private readonly tables = new Map<string, Map<string, Row>>()
  /** Every row in the order of its emission, by table. */
  readonly emitted = new Map<string, Row[]>()
  readonly records = new Map<string, unknown[]>()

  constructor(options: DriverOptions) {
    this.options = options
    this.partitions = options.partitions ?? 1
    for (const topic of Object.values(this.topics) as string[]) {
      void this.log.createTopics([{ topic, partitions: this.partitions, settings: {} }])
    }
    this.makeTasks()
  }

  private makeTasks(): void {
    const { pipeline, registry, codecs } = this.options
    this.outputs = new Outputs()
    this.tasks = Array.from(
      { length: this.partitions },
      (_, partition) =>
        new Task({
          pipeline,
          partition,
          epoch: 0,
          registry,
          codecs,
          topics: this.topics,
          outputs: this.outputs,
        }),
    )
  }

  get counts() {
    return this.tasks.map((task) => task.counts)
  }

  /** Appends readings, in their order, at the clock's time. */
  append(readings: readonly Reading[]): this {
    for (const reading of readings) {
      const key = Buffer.from(meterKey(reading.tenant, reading.meterId))
      const partition = partitionOf(key, this.partitions)
      const value = this.options.codecs.reading.encode(reading)
      this.log.appendNow(this.topics.readings, [{ key, value, partition }])
    }
    return this
  }

  /** Moves append time, and lets every partition know of it by a tick. */
  advanceAppendTime(micros: Micros): this {
    this.clock.micros += micros
    const value = this.options.codecs.control.encode({
      kind: 'tick',
      source: 'driver',
      table: null,
      offset: null,
      body: null,
    })
    for (let partition = 0; partition < this.partitions; partition++) {
      const headers = { [CONTROL_HEADER]: Buffer.from('1') }
      this.log.appendNow(this.topics.readings, [{ key: null, value, partition, headers }])
    }
    return this
  }

  /** Runs the tasks up to the end of the log, and takes what they emit. */
  async run(): Promise<this> {
    const size = this.options.batchRecords ?? 500
    for (const [partition, task] of this.tasks.entries()) {
      const from = task.nextOffset
      for await (const batch of this.log.read({ topic: this.topics.readings, partition, from })) {
        for (let at = 0; at < batch.count; at += size) {
          task.process(batch, at, Math.min(batch.count, at + size))
          this.collect()
        }
      }
    }
    return this
  }

  /** A kill: state is lost, and made anew from the log, silently up to where it had come. */
  async crashAndRestore(): Promise<this> {
    const reached = this.tasks.map((task) => task.nextOffset)
    this.makeTasks()
    for (const [partition, task] of this.tasks.entries()) {
      task.emitting = false
      const to = reached[partition]!
      for await (const batch of this.log.read({
        topic: this.topics.readings,
        partition,
        from: 0,
        to,
      })) {
        task.process(batch)
      }
      task.emitting = true
    }
    return this
  }

  private collect(): void {
    const { tables, logs } = this.outputs.take()
    for (const batch of tables) this.store(batch)
    for (const [topic, records] of logs) {
      const list = this.records.get(topic) ?? []
      this.records.set(topic, list)
      const codec =
        topic === this.topics.windows ? this.options.codecs.window : this.options.codecs.anomaly
      for (const record of records) list.push(codec.decode(record.value!))
    }
  }

  private store(batch: RowBatch): void {
    const { spec, count, columns } = batch
    const table = this.tables.get(spec.table) ?? new Map<string, Row>()
    const list = this.emitted.get(spec.table) ?? []
    this.tables.set(spec.table, table)
    this.emitted.set(spec.table, list)
    for (let i = 0; i < count; i++) {
      const row: Record<string, number | boolean | string | undefined> = {}
      spec.columns.forEach(({ name, type }, c) => {
        const value = columns[c]![i]
        row[name] = type === 'boolean' ? value === 1 : value
      })
      table.set(spec.keys.map((key) => String(row[key])).join('|'), row)
      list.push(row)
    }
  }

  /** The rows of a table as a reader sees them: the last of each key. */
  rows(table: string): readonly Row[] {
    return [...(this.tables.get(table)?.values() ?? [])]
  }
}
