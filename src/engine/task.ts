import { MICROS_PER_MILLI, seconds } from '../kernel/time.ts'
import { revisionOf } from '../kernel/ids.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { RecordBatch } from '../log/log.ts'
import { WIRE_HEADER_BYTES } from '../schemas/codecs.ts'
import type { ControlRecord } from '../schemas/records.ts'
import { compile } from './compile.ts'
import { noCounts } from './counts.ts'
import type { TaskCounts } from './counts.ts'
import { prepareForeign, schemaIdAt, translated } from './foreign.ts'
import { Eviction } from './eviction.ts'
import type { Ingest } from './ingest.ts'
import type { Progress } from './runner.ts'
import { SeriesTable } from './series.ts'
import type { Plain, StatePart } from './state/part.ts'
import { TASK, TaskState } from './state/task-state.ts'
import type { StreamTask } from './stream-task.ts'
import type { Silence } from './time/silence.ts'
import type { Tables } from './tables/tables.ts'
import type { TaskOptions } from './task-options.ts'
import { WholeReading } from './whole-reading.ts'
import type { Cause } from './windows.ts'

/** Restatements wait for the next whole ten seconds of append time. */
const COALESCE_MILLIS = seconds(10) / MICROS_PER_MILLI

/**
 * A pipeline at work on one partition. What it emits is a pure function of the partition's records
 * up to where it has come, their append times included: it reads no clock, and asks nobody.
 */
export class Task implements Progress, StatePart, StreamTask {
  readonly bytes = 0
  readonly arrays = {}
  readonly counts: TaskCounts = noCounts()
  /** Whether outputs are handed on; false while state is made anew from what was emitted before. */
  emitting = true
  /** The offset to read next. */
  nextOffset = 0
  readonly table: SeriesTable
  private readonly options: TaskOptions
  private readonly ingest: Ingest
  private readonly eviction: Eviction
  readonly silence: Silence | undefined
  private readonly tables: Tables
  private readonly reading = new WholeReading()
  private readonly cause: Cause = { revision: 0, restating: false }
  /** All that the task remembers from record to record. */
  readonly state = new TaskState()
  private readonly clocks: readonly (() => void)[]
  private readonly controls: readonly ((control: ControlRecord) => void)[]
  /** Append time, running maximum; and the newest time that any meter has said. */
  appendedMillis = -Infinity
  newestAt = -Infinity
  offset = 0
  outputIndex = 0

  constructor(options: TaskOptions) {
    this.options = options
    const source = options.pipeline.nodes.find((node) => node.kind === 'series')!
    const { state, cause, counts } = this
    this.table = new SeriesTable(options.registry, source, state)
    const { table } = this
    const frame = { options, table, state, progress: this, cause, counts }
    const { ingest, clocks, controls, silence, tables } = compile(options.pipeline, frame)
    this.ingest = ingest
    const { retentionHours = LIMITS.engineRetentionHours } = options
    this.eviction = new Eviction(table, retentionHours, () => ingest.forgetCourse())
    state.add(source.id, 'eviction', this.eviction)
    this.clocks = clocks
    this.controls = controls
    this.silence = silence
    this.tables = tables
    state.add(TASK, 'progress', this)
  }

  async prepare(batch: RecordBatch): Promise<void> {
    const { codecs } = this.options
    await prepareForeign(batch, codecs)
    for (let i = 0; i < batch.count; i++) {
      if (schemaIdAt(batch, i) !== codecs.control.id) continue
      const control = this.readControl(batch, i)
      if (control?.kind === 'advance') await this.tables.prepare(control)
    }
  }

  tableOffset(topic: string): number | undefined {
    return this.tables.offsetOf(topic)
  }

  /** Takes records [from, to) of a batch of this task's partition. */
  process(batch: RecordBatch, from = 0, to = batch.count): void {
    const { bytes, offsets, appendMillis, valueStart, valueEnd } = batch
    const { reading, control } = this.options.codecs
    for (let i = from; i < to; i++) {
      const offset = offsets[i]!
      // A record that was taken in before, as after a rebalance that moved the position back.
      if (offset < this.nextOffset) continue
      const id = schemaIdAt(batch, i)
      const read = id === control.id ? this.readControl(batch, i) : undefined
      this.begin(offset, appendMillis[i]!, id !== control.id || read?.kind === 'tick')
      if (id === reading.id) {
        this.take(batch, i, bytes, valueStart[i]! + WIRE_HEADER_BYTES, valueEnd[i]!)
      } else if (id !== control.id) {
        this.takeForeign(batch, i)
      } else if (read !== undefined) {
        for (const taken of this.controls) taken(read)
      } else {
        this.counts.unreadable++
      }
      this.nextOffset = offset + 1
    }
    this.nextOffset = Math.max(this.nextOffset, to === batch.count ? batch.nextOffset : 0)
  }

  /** Append time moves before the record is taken in: what was due before it comes first. */
  private begin(offset: number, appendMillis: number, ofBridge: boolean): void {
    this.offset = offset
    this.outputIndex = 0
    this.counts.records++
    if (appendMillis > this.appendedMillis) {
      const before = Math.floor(this.appendedMillis / COALESCE_MILLIS)
      this.appendedMillis = appendMillis
      if (Math.floor(appendMillis / COALESCE_MILLIS) > before) {
        this.ingest.emitRestated()
        for (const told of this.clocks) told()
      }
    }
    this.eviction.advance(this.appendedMillis)
    this.cause.revision = revisionOf(this.options.epoch, offset)
    // What others append says nothing of whether bridges were alive.
    if (ofBridge) this.silence?.advance(this.appendedMillis)
  }

  /** A control record; undefined where it is none after all. */
  private readControl(batch: RecordBatch, i: number): ControlRecord | undefined {
    const value = batch.bytes.subarray(batch.valueStart[i], batch.valueEnd[i])
    try {
      return this.options.codecs.control.decode(value)
    } catch {
      return undefined
    }
  }

  /** Takes in the reading whose Avro body lies in [start, end) of `bytes`, whole or not at all. */
  private take(batch: RecordBatch, i: number, bytes: Buffer, start: number, end: number): void {
    const { reading, table, ingest, eviction } = this
    const keyStart = batch.keyStart[i]!
    const keyEnd = batch.keyEnd[i]!
    // With another key than its own it would lie in a foreign partition.
    if (!reading.read(bytes, start, end) || !reading.hasKey(bytes, batch.bytes, keyStart, keyEnd)) {
      this.counts.unreadable++
      return
    }
    const meter = table.meterSlot(batch.bytes, keyStart, keyEnd)
    const { atMicros, seq } = reading.cursor
    const { channelStart, channelEnd, value, quality } = reading
    let slot = -1
    for (let m = 0; m < reading.count; m++) {
      slot = table.seriesSlot(meter, slot, bytes, channelStart[m]!, channelEnd[m]!)
      eviction.hear(slot)
      ingest.take(meter, slot, atMicros, value[m]!, seq, quality[m]!)
    }
    this.newestAt = Math.max(this.newestAt, atMicros)
    if (slot >= 0) this.silence?.heard(meter)
    ingest.advance(meter, atMicros)
  }

  /** A reading of another version of the schema, or none at all. */
  private takeForeign(batch: RecordBatch, i: number): void {
    const start = batch.valueStart[i]!
    const value = start < 0 ? undefined : batch.bytes.subarray(start, batch.valueEnd[i])
    const own = value === undefined ? undefined : translated(value, this.options.codecs)
    if (own === undefined) this.counts.unreadable++
    else this.take(batch, i, own, WIRE_HEADER_BYTES, own.length)
  }

  /** Bytes of state, of all series. */
  get stateBytes(): number {
    return this.state.bytes
  }

  save(): Plain {
    const { nextOffset, appendedMillis, newestAt } = this
    return { nextOffset, appendedMillis, newestAt }
  }

  load(plain: Plain): void {
    Object.assign(this, plain)
  }
}
