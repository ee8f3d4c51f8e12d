import { MICROS_PER_MILLI, seconds } from '../kernel/time.ts'
import { revisionOf } from '../kernel/ids.ts'
import type { RecordBatch } from '../log/log.ts'
import { encodePosition } from '../log/position.ts'
import { SOURCE_HEADER } from '../log/topics.ts'
import type { Topics } from '../log/topics.ts'
import type { Registry } from '../registry/registry.ts'
import { WIRE_HEADER_BYTES } from '../schemas/codecs.ts'
import type { Codec, Codecs } from '../schemas/codecs.ts'
import { ColumnSet } from './columns.ts'
import { BoundedLists } from './lists.ts'
import type { Pipeline } from './dsl.ts'
import { noCounts } from './counts.ts'
import type { TaskCounts } from './counts.ts'
import { schemaIdAt, translated } from './foreign.ts'
import { Ingest } from './ingest.ts'
import type { AnyNode, LogNode, ScanNode, SeriesNode, StreamNode } from './nodes.ts'
import { RecordWriter } from './record-writer.ts'
import type { Outputs } from './rows.ts'
import { SeriesTable } from './series.ts'
import { WholeReading } from './whole-reading.ts'
import { CombineState, WindowState } from './windows.ts'
import type { Cause, Emit } from './windows.ts'

/** Restatements wait for the next whole ten seconds of append time. */
const COALESCE_MILLIS = seconds(10) / MICROS_PER_MILLI

export interface TaskOptions {
  readonly pipeline: Pipeline
  readonly partition: number
  readonly epoch: number
  readonly registry: Registry
  readonly codecs: Codecs
  readonly topics: Topics
  readonly outputs: Outputs
}

/**
 * A pipeline at work on one partition. What it emits is a pure function of the partition's records
 * up to where it has come, their append times included: it reads no clock, and asks nobody.
 */
export class Task {
  readonly counts: TaskCounts = noCounts()
  /** Whether outputs are handed on; false while state is made anew from what was emitted before. */
  emitting = true
  /** The offset to read next. */
  nextOffset = 0
  readonly table: SeriesTable
  private readonly options: TaskOptions
  private readonly ingest: Ingest
  private readonly reading = new WholeReading()
  private readonly cause: Cause = { revision: 0 }
  private readonly scans: { grow(slots: number): void; readonly bytes: number }[] = []
  private readonly combines: CombineState[] = []
  private begunSeries = 0
  /** Append time, running maximum; and the newest time that any meter has said. */
  appendedMillis = -Infinity
  newestAt = -Infinity
  private offset = 0
  private outputIndex = 0

  constructor(options: TaskOptions) {
    this.options = options
    const source = options.pipeline.nodes.find((node) => node.kind === 'series')!
    this.table = new SeriesTable(options.registry, source.lateness.disorder)
    this.ingest = this.compile(options.pipeline)
  }

  private compile({ nodes }: Pipeline): Ingest {
    const consumers = new Map<AnyNode, Emit<never>[]>()
    const emitTo = (node: StreamNode): Emit<never> => {
      const list: Emit<never>[] = []
      consumers.set(node, list)
      return (slot, item) => {
        for (const consumer of list) consumer(slot, item)
      }
    }
    const feed = (node: StreamNode, consumer: Emit<never>) => consumers.get(node)!.push(consumer)
    const windows: WindowState[] = []
    let source: SeriesNode | undefined
    let emitSample: Emit<never> = () => undefined
    for (const node of nodes) {
      switch (node.kind) {
        case 'series':
          source = node
          emitSample = emitTo(node)
          break
        case 'window': {
          const state = new WindowState(node, this.table)
          state.emit = emitTo(node) as WindowState['emit']
          windows.push(state)
          break
        }
        case 'combine': {
          const inner = windows.find((w) => w.node === node.input)!
          const state = new CombineState(node, inner, this.table)
          state.emit = emitTo(node) as CombineState['emit']
          this.combines.push(state)
          break
        }
        case 'scan':
          feed(node.input, this.scan(node, emitTo(node)))
          break
        case 'filter': {
          const emit = emitTo(node)
          feed(node.input, (slot, item) => {
            if (node.keep(item)) emit(slot, item)
          })
          break
        }
        case 'table': {
          const rows = this.options.outputs.table(node.spec)
          feed(node.input, (_slot, item) => {
            if (this.emitting) rows.push(node.cells, item)
          })
          break
        }
        case 'log':
          feed(node.input, this.logSink(node))
          break
      }
    }
    const { table, combines, cause, counts } = this
    return new Ingest({
      node: source!,
      table,
      windows,
      combines,
      cause,
      counts,
      emitSample: emitSample as Emit<unknown>,
    })
  }

  private scan(node: ScanNode, emit: Emit<never>): Emit<never> {
    const { operator } = node
    const set = new ColumnSet(operator.columns)
    const state: Record<string, unknown> = { ...set.columns }
    this.scans.push(set)
    for (const [name, declaration] of Object.entries(operator.lists ?? {})) {
      const lists = new BoundedLists(declaration)
      state[name] = lists
      this.scans.push(lists)
    }
    let current = 0
    const out = (item: never) => emit(current, item)
    return (slot, item) => {
      current = slot
      operator.step(state as never, slot, item, out)
    }
  }

  private logSink(node: LogNode): Emit<never> {
    const { codecs, topics, outputs, epoch, partition } = this.options
    const codec = codecs[node.record] as Codec<unknown>
    const writer = RecordWriter.of(codec) ?? codec
    const topic = topics[node.topic]
    return (slot, item) => {
      const index = this.outputIndex++
      if (!this.emitting) return
      const meter = this.table.series.columns.meter.get(slot)
      const position = encodePosition({ epoch, partition, offset: this.offset, index })
      outputs.log(topic, {
        key: this.table.keys[meter]!,
        value: writer.encode(node.map(item) as object),
        headers: { [SOURCE_HEADER]: position },
      })
    }
  }

  /** Takes records [from, to) of a batch of this task's partition. */
  process(batch: RecordBatch, from = 0, to = batch.count): void {
    const { bytes, offsets, appendMillis, valueStart, valueEnd } = batch
    const { reading, control } = this.options.codecs
    for (let i = from; i < to; i++) {
      const offset = offsets[i]!
      // A record that was taken in before, as after a rebalance that moved the position back.
      if (offset < this.nextOffset) continue
      this.begin(offset, appendMillis[i]!)
      const id = schemaIdAt(batch, i)
      if (id === reading.id) {
        this.take(batch, i, bytes, valueStart[i]! + WIRE_HEADER_BYTES, valueEnd[i]!)
      } else if (id !== control.id) {
        this.takeForeign(batch, i)
      }
      this.nextOffset = offset + 1
    }
    this.nextOffset = Math.max(this.nextOffset, to === batch.count ? batch.nextOffset : 0)
  }

  /** Append time moves before the record is taken in: what was due before it comes first. */
  private begin(offset: number, appendMillis: number): void {
    this.offset = offset
    this.outputIndex = 0
    this.counts.records++
    if (appendMillis <= this.appendedMillis) {
      this.cause.revision = revisionOf(this.options.epoch, offset)
      return
    }
    const before = Math.floor(this.appendedMillis / COALESCE_MILLIS)
    this.appendedMillis = appendMillis
    if (Math.floor(appendMillis / COALESCE_MILLIS) > before) this.ingest.emitRestated()
    this.cause.revision = revisionOf(this.options.epoch, offset)
  }

  /** Takes in the reading whose Avro body lies in [start, end) of `bytes`, whole or not at all. */
  private take(batch: RecordBatch, i: number, bytes: Buffer, start: number, end: number): void {
    const { reading, table, ingest } = this
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
      if (slot >= this.begunSeries) this.growTo(slot + 1)
      ingest.take(meter, slot, atMicros, value[m]!, seq, quality[m]!)
    }
    this.newestAt = Math.max(this.newestAt, atMicros)
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

  private growTo(slots: number): void {
    for (const state of this.scans) state.grow(slots)
    for (const combine of this.combines) {
      combine.grow(slots)
      for (let slot = this.begunSeries; slot < slots; slot++) combine.begin(slot)
    }
    this.begunSeries = slots
  }

  /** Bytes of state, of all series. */
  get stateBytes(): number {
    let bytes = this.table.bytes
    for (const state of this.scans) bytes += state.bytes
    for (const combine of this.combines) bytes += combine.bytes
    return bytes
  }
}
