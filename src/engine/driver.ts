import { meterKey, partitionOf } from '../kernel/ids.ts'
import { MICROS_PER_MILLI } from '../kernel/time.ts'
import type { Clock, Micros } from '../kernel/time.ts'
import type { OutgoingRecord, RecordBatch } from '../log/log.ts'
import { MemoryLog } from '../log/memory.ts'
import type { MemoryMember } from '../log/memory-member.ts'
import { SeenPositions } from '../log/position.ts'
import { controlRecord } from '../log/control.ts'
import { SOURCE_HEADER, tableTopic, tableTopicSpec, topicNames } from '../log/topics.ts'
import type { Registry } from '../registry/registry.ts'
import { schemaIdOf } from '../schemas/codecs.ts'
import type { Codec, Codecs } from '../schemas/codecs.ts'
import type { ControlRecord, Reading } from '../schemas/records.ts'
import type { Pipeline } from './dsl.ts'
import { engineErrors } from './errors.ts'
import { MemoryTables } from './memory-tables.ts'
import type { Row } from './memory-tables.ts'
import { logBehind, sinkBehind } from './ports.ts'
import type { Passage } from './ports.ts'
import { startRuntime } from './runtime.ts'
import type { Runtime } from './runtime.ts'
import { VirtualTime } from './virtual-time.ts'
import type { VirtualProcess } from './virtual-time.ts'

export interface DriverOptions {
  readonly pipeline: Pipeline
  readonly registry: Registry
  readonly codecs: Codecs
  readonly partitions?: number
  /** Records of a batch at most; asked for each batch where it is a function. */
  readonly batchRecords?: number | (() => number)
  /** A snapshot is due after so many records; 0: none is ever taken. */
  readonly snapshotEvery?: number
  /** Processes that share the partitions. */
  readonly members?: number
}

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

/** Steps without an end in sight: something waits for what never comes. */
const STEPS_MAX = 5_000_000
/** What is to come of the last record by itself has come after so much virtual time. */
const CALM_MILLIS = 1_000

interface Member {
  readonly process: VirtualProcess
  runtime: Runtime | undefined
  subscription: MemoryMember | undefined
}

/**
 * Drives a pipeline in a test: the runtime of production, on the memory log, with append time moved
 * by hand and all waiting in virtual time. `crashAndRestore` throws the processes away wherever
 * they are, and makes them anew from the log.
 */
export class Driver {
  readonly clock = new HandClock()
  readonly log: MemoryLog
  private readonly time = new VirtualTime()
  private readonly topics = topicNames()
  private readonly group = 'driver'
  private readonly options: DriverOptions
  private readonly partitions: number
  private readonly tables = new MemoryTables()
  private members: Member[] = []
  private failure: { readonly error: unknown } | undefined
  /** Records of the topics, each once, in their order. */
  readonly records = new Map<string, unknown[]>()
  private readonly recordsFrom = new Map<string, number>()
  private readonly seen = new Map<string, SeenPositions>()

  constructor(options: DriverOptions) {
    this.options = options
    const { batchRecords = 500, partitions = 1 } = options
    this.partitions = partitions
    this.log = new MemoryLog(this.clock, {
      batchRecords: typeof batchRecords === 'number' ? () => batchRecords : batchRecords,
    })
    for (const topic of Object.values(this.topics) as string[]) {
      void this.log.createTopics([{ topic, partitions: this.partitions, settings: {} }])
    }
    for (const topic of this.tableTopics()) void this.log.createTopics([tableTopicSpec(topic)])
    this.startMembers()
  }

  private tableTopics(): readonly string[] {
    return this.options.pipeline.nodes.flatMap((node) =>
      node.kind === 'lookup-table' ? [tableTopic(this.topics, node.table.topic)] : [],
    )
  }

  private startMembers(): void {
    const count = this.options.members ?? 1
    this.members = Array.from({ length: count }, () => this.startMember())
  }

  private startMember(): Member {
    const process = this.time.process()
    const member: Member = { process, runtime: undefined, subscription: undefined }
    // Each call of a port is a place where the process may be thrown away.
    const passage: Passage = {
      async call(_port, effect) {
        await process.turn()
        const answer = await effect()
        await process.turn()
        return answer
      },
    }
    const fail = (error: unknown) => (this.failure ??= { error })
    const { tables } = this
    const sink = {
      write: (batch: Parameters<MemoryTables['upsert']>[0]) => {
        tables.upsert(batch)
        return Promise.resolve()
      },
      close: () => Promise.resolve(),
    }
    const { pipeline, registry, codecs, snapshotEvery = 0 } = this.options
    const isDue = (records: number) => snapshotEvery > 0 && records >= snapshotEvery
    startRuntime({
      cadence: { isDue, took: () => undefined },
      ...{ pipeline, registry, codecs, topics: this.topics, group: this.group, epoch: 0 },
      input: this.topics.readings,
      scheduler: process,
      // Of what stands still the driver itself tells.
      watchEveryMs: 0,
      log: logBehind(this.log, passage, (made) => (member.subscription = made)),
      tables: sinkBehind(sink, passage),
      onFailed: fail,
    }).then((runtime) => (member.runtime = runtime), fail)
    return member
  }

  /** What the tasks have counted since they were made, by partition. */
  get counts() {
    return this.members.flatMap(({ runtime }) => runtime?.tasks() ?? []).map((task) => task.counts)
  }

  /** Every row in the order of its emission, by table; once more what a crash made come again. */
  get emitted(): ReadonlyMap<string, readonly Row[]> {
    return this.tables.emitted
  }

  /** The rows of a table as a reader sees them: the last of each key. */
  rows(table: string): readonly Row[] {
    return this.tables.rows(table)
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

  /** Appends a record to a lookup table's topic; its owners tell their partitions of it. */
  appendTo(table: string, record: OutgoingRecord): this {
    this.log.appendNow(tableTopic(this.topics, table), [record])
    return this
  }

  /** Moves append time, and lets every partition know of it by a tick. */
  advanceAppendTime(micros: Micros): this {
    this.clock.micros += micros
    const tick = { kind: 'tick', source: 'driver', table: null, offset: null, body: null }
    return this.appendControl(tick)
  }

  /** Appends a control record to every partition. */
  appendControl(record: ControlRecord): this {
    const { control } = this.options.codecs
    for (let partition = 0; partition < this.partitions; partition++) {
      this.log.appendNow(this.topics.readings, [controlRecord(control, record, partition)])
    }
    return this
  }

  /** Goes on until all of the log is computed, sent and committed. */
  async run(): Promise<this> {
    await this.stepUntil(() => this.isSettled(), 'all to be committed')
    const calmAt = this.time.nowMillis + CALM_MILLIS
    while (this.time.nowMillis < calmAt && (await this.step()));
    await this.stepUntil(() => this.isSettled(), 'all to be committed')
    await this.takeRecords()
    return this
  }

  /** Goes on for so many steps, and stops wherever that is: in the middle of a flush, perhaps. */
  async runSteps(count: number): Promise<this> {
    for (let i = 0; i < count && (await this.step()); i++);
    return this
  }

  /**
   * A kill of all processes, wherever they are. Their successors have their state when it is done,
   * and emit again what was not committed.
   */
  async crashAndRestore(): Promise<this> {
    for (const { process, subscription } of this.members) {
      process.kill()
      subscription?.expel()
    }
    this.startMembers()
    const areReady = () =>
      this.members.every(({ runtime }) => runtime?.readiness().ready === true) &&
      this.counts.length === this.partitions
    await this.stepUntil(() => Promise.resolve(areReady()), 'the processes to be ready')
    return this
  }

  private async stepUntil(holds: () => Promise<boolean>, what: string): Promise<void> {
    for (let steps = 0; !(await holds()); steps++) {
      const goesOn = await this.step()
      if (!goesOn || steps > STEPS_MAX) throw engineErrors.stuck({ what, steps })
    }
  }

  private async step(): Promise<boolean> {
    const goesOn = await this.time.step()
    if (this.failure !== undefined) throw this.failure.error
    return goesOn
  }

  private async isSettled(): Promise<boolean> {
    const { readings } = this.topics
    const tasks = this.members.flatMap(({ runtime }) => runtime?.tasks() ?? [])
    for (const topic of this.tableTopics()) {
      const [end = 0] = await this.log.endOffsets(topic)
      if (tasks.some((task) => (task.tableOffset?.(topic) ?? end) < end)) return false
    }
    const ends = await this.log.endOffsets(readings)
    const committed = await this.log.committed(this.group, readings)
    return ends.every((end, partition) => Math.max(0, committed[partition]!.offset) >= end)
  }

  /** Reads the topics on, and drops what came again, as every reader does. */
  private async takeRecords(): Promise<void> {
    const { readings, state, totalsState } = this.topics
    for (const topic of Object.values(this.topics) as string[]) {
      if ([readings, state, totalsState].includes(topic)) continue
      for (let partition = 0; partition < this.partitions; partition++) {
        const place = `${topic}:${partition}`
        const from = this.recordsFrom.get(place) ?? 0
        for await (const batch of this.log.read({ topic, partition, from })) {
          this.recordsFrom.set(place, batch.nextOffset)
          this.takeBatch(batch)
        }
      }
    }
  }

  private takeBatch(batch: RecordBatch): void {
    const list = this.records.get(batch.topic) ?? []
    const place = `${batch.topic}:${batch.partition}`
    const seen = this.seen.get(place) ?? new SeenPositions()
    this.seen.set(place, seen)
    for (let i = 0; i < batch.count; i++) {
      if (!seen.isNew(batch.header(i, SOURCE_HEADER))) continue
      list.push(this.decoded(batch.bytes.subarray(batch.valueStart[i], batch.valueEnd[i])))
    }
    if (list.length > 0) this.records.set(batch.topic, list)
  }

  private decoded(value: Buffer): unknown {
    const all = Object.values(this.options.codecs) as Codec<unknown>[]
    return all.find(({ id }) => id === schemaIdOf(value))!.decode(value)
  }
}
