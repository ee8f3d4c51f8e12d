import { setTimeout as sleep } from 'node:timers/promises'
import { type Pipeline, fuse } from '../engine/dsl.ts'
import type { TableSink } from '../engine/sink.ts'
import { LIMITS } from '../kernel/limits.ts'
import { MICROS_PER_MILLI, formatMicros } from '../kernel/time.ts'
import type { Log } from '../log/log.ts'
import type { Topics } from '../log/topics.ts'
import type { Registry } from '../registry/registry.ts'
import type { Codecs } from '../schemas/codecs.ts'
import { TABLES, type TableName } from '../schemas/tables.ts'
import { readings } from '../../topologies/readings.ts'
import { baselines } from '../../topologies/rolling-baseline.ts'
import { rowsOfEngine } from './resink/from-engine.ts'
import { rowsOfTopic } from './resink/from-topic.ts'
import { type EventRange, rowsWithin } from './resink/range.ts'
import type { RowSource } from './resink/row-source.ts'

/** Totals are not among them: what they are made of lies in many partitions. */
export const RESINKABLE = [
  'readings',
  'windows',
  'baselines',
  'anomalies',
] as const satisfies readonly TableName[]
export type Resinkable = (typeof RESINKABLE)[number]

export interface ResinkOptions {
  readonly table: Resinkable
  /** Event time: of the reading, or of the window's start. */
  readonly range: EventRange
  readonly log: Log
  readonly codecs: Codecs
  readonly topics: Topics
  readonly registry: Registry
  readonly epoch: number
  readonly sink: TableSink
  readonly stop?: AbortSignal
  readonly progress?: (records: number, total: number, rows: number) => void
}

export interface ResinkReport {
  readonly table: Resinkable
  readonly topic: string
  readonly records: number
  /** Written; a row that was restated counts as often. */
  readonly rows: number
  /** What the log no longer holds: the rows of earlier records are not rebuilt. */
  readonly cut: readonly { readonly partition: number; readonly beginsAt: string }[]
  /** Whether the last look at the log found nothing more of the range. */
  readonly settled: boolean
}

/** The topic that a table is rebuilt from. */
export function topicOf(table: Resinkable, topics: Topics): string {
  if (table === 'windows' || table === 'anomalies') return topics[table]
  return topics.readings
}

/**
 * Writes the rows of a range of event time again, from what the log retains: `readings` and
 * `baselines` by running their topologies over the readings, `windows` and `anomalies` from their
 * topics. Rows replace those of the same identity, nothing is deleted, and doing it twice changes
 * nothing.
 *
 * Processors may run meanwhile: one that restates a row between our reading its record and our
 * writing would be overwritten by our older row, so what the log got meanwhile is taken in until it
 * is nothing.
 */
export async function resink(options: ResinkOptions): Promise<ResinkReport> {
  return new Resink(options).run()
}

class Resink {
  private readonly options: ResinkOptions
  private readonly topic: string
  private readonly pipeline: Pipeline
  private records = 0
  private total = 0
  private rows = 0
  private settled = true

  constructor(options: ResinkOptions) {
    this.options = options
    this.topic = topicOf(options.table, options.topics)
    this.pipeline = fuse('resink', [options.table === 'baselines' ? baselines : readings])
  }

  async run(): Promise<ResinkReport> {
    const { log, table } = this.options
    const begins = await log.beginOffsets(this.topic)
    const ends = await log.endOffsets(this.topic)
    this.total = ends.reduce((sum, end, p) => sum + end - (begins[p] ?? 0), 0)
    const cut: { partition: number; beginsAt: string }[] = []
    for (const [partition, end] of ends.entries()) {
      const begin = begins[partition] ?? 0
      if (begin > 0) cut.push({ partition, beginsAt: await this.beginsAt(partition, begin) })
      await this.partition(partition, begin, end)
    }
    const { topic, records, rows, settled } = this
    return { table, topic, records, rows, cut, settled }
  }

  /** When the first record that is left was appended. */
  private async beginsAt(partition: number, from: number): Promise<string> {
    for await (const batch of this.options.log.read({ topic: this.topic, partition, from })) {
      if (batch.count > 0) return formatMicros(batch.appendMillis[0]! * MICROS_PER_MILLI)
    }
    return 'nothing is left'
  }

  private source(partition: number, isCut: boolean): RowSource {
    const { table, codecs } = this.options
    if (table === 'windows') return rowsOfTopic(TABLES.windows, codecs.window)
    if (table === 'anomalies') return rowsOfTopic(TABLES.anomalies, codecs.anomaly)
    const { epoch, registry, topics } = this.options
    const { pipeline } = this
    const spec = TABLES[table]
    return rowsOfEngine({ spec, pipeline, partition, epoch, registry, codecs, topics, isCut })
  }

  private async partition(partition: number, begin: number, end: number): Promise<void> {
    const { log } = this.options
    const source = this.source(partition, begin > 0)
    let from = begin
    let to = end
    for (let round = 1; ; round++) {
      const written = await this.take(source, partition, from, to)
      // The first look has written the range, so the second one is always needed.
      if (round > 1 && written === 0) return
      if (round > LIMITS.resinkRoundsMax) {
        this.settled = false
        return
      }
      // What a processor was about to write when we wrote is in the log by then.
      if (round > 1) await sleep(LIMITS.resinkRoundMs)
      from = to
      to = (await log.endOffsets(this.topic))[partition] ?? from
    }
  }

  /** @returns The rows written. */
  private async take(source: RowSource, partition: number, from: number, to: number) {
    const { log, range, sink, stop, progress } = this.options
    let written = 0
    if (from >= to) return written
    for await (const batch of log.read({ topic: this.topic, partition, from, to })) {
      stop?.throwIfAborted()
      const rows = rowsWithin(source.take(batch), range, (all, row) => source.keep(all, row))
      if (rows.count > 0) await sink.write(rows)
      written += rows.count
      this.rows += rows.count
      this.records += batch.count
      progress?.(this.records, Math.max(this.total, this.records), this.rows)
    }
    return written
  }
}
