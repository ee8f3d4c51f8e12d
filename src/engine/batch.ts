import { meterKey, partitionOf } from '../kernel/ids.ts'
import { batchOf } from '../log/batch.ts'
import type { OutgoingRecord, RecordBatch } from '../log/log.ts'
import { asRecords } from '../log/outgoing.ts'
import { topicNames } from '../log/topics.ts'
import type { Topics } from '../log/topics.ts'
import type { Registry } from '../registry/registry.ts'
import type { Codecs } from '../schemas/codecs.ts'
import type { Reading } from '../schemas/records.ts'
import type { Pipeline } from './dsl.ts'
import { makeTask } from './rekey/make-task.ts'
import { Outputs } from './rows.ts'
import type { RowBatch } from './sink.ts'
import type { StreamTask } from './stream-task.ts'
import type { TableFeed } from './tables/table-feed.ts'

export interface BatchOptions {
  readonly pipeline: Pipeline
  readonly registry: Registry
  readonly codecs: Codecs
  readonly partitions: number
  readonly epoch?: number
  readonly topics?: Topics
  /** The records of lookup tables; needed where the pipeline has any. */
  readonly tables?: TableFeed
}

/** A reading and when the log would have taken it; without a reading, a sign that time goes on. */
export interface BatchEntry {
  readonly appendMillis: number
  readonly reading?: Reading
}

/** What a run emits: rows by table, records by topic, in their order. */
export interface BatchOutput {
  readonly tables: readonly RowBatch[]
  readonly logs: ReadonlyMap<string, readonly OutgoingRecord[]>
}

interface Arrived {
  readonly offset: number
  readonly appendMillis: number
  readonly key: Buffer | null
  readonly value: Buffer
}

/**
 * A pipeline over history that lies ready: the tasks of the runtime without its log, its group and
 * its waiting. With the partitions and append times of a log it emits what the runtime emits of it,
 * byte for byte.
 *
 * @example
 * const run = new BatchRun({ pipeline, registry, codecs, partitions: 1 })
 * for (const part of parts) store(run.take(part)) // part: [{ appendMillis, reading }, …]
 */
export class BatchRun {
  private readonly tasks: readonly StreamTask[]
  private readonly outputs = new Outputs()
  private readonly options: BatchOptions
  private readonly topics: Topics
  private readonly ends: number[]
  private readonly tick: Buffer

  constructor(options: BatchOptions) {
    this.options = options
    const { partitions, epoch = 0, pipeline, registry, codecs, tables: feed } = options
    const topics = (this.topics = options.topics ?? topicNames())
    const { outputs } = this
    const given = { pipeline, partitions, epoch, registry, codecs, topics, outputs }
    this.tasks = Array.from({ length: partitions }, (_, partition) =>
      makeTask({ ...given, partition, ...(feed && { feed }) }),
    )
    this.ends = this.tasks.map(() => 0)
    const body = { source: 'batch', table: null, offset: null, body: null }
    this.tick = codecs.control.encode({ kind: 'tick', ...body })
  }

  /** Computes consecutive entries, in their order. */
  take(entries: Iterable<BatchEntry>): BatchOutput {
    const arrived = this.tasks.map((): Arrived[] => [])
    const arrive = (partition: number, one: Omit<Arrived, 'offset'>) =>
      arrived[partition]!.push({ offset: this.ends[partition]!++, ...one })
    for (const { appendMillis, reading } of entries) {
      if (reading === undefined) {
        for (const partition of this.tasks.keys()) {
          arrive(partition, { appendMillis, key: null, value: this.tick })
        }
        continue
      }
      const key = Buffer.from(meterKey(reading.tenant, reading.meterId))
      const value = this.options.codecs.reading.encode(reading)
      arrive(partitionOf(key, this.tasks.length), { appendMillis, key, value })
    }
    for (const [partition, list] of arrived.entries()) {
      const nextOffset = this.ends[partition]!
      const head = { topic: this.topics.readings, partition, nextOffset }
      this.feed(batchOf(list, { ...head, headerOf: () => undefined }))
    }
    return this.emitted()
  }

  /** Fetches what the records say of lookup tables; `feed` asks nobody. */
  prepare(batch: RecordBatch): Promise<void> {
    return this.tasks[batch.partition]!.prepare(batch)
  }

  /** Computes records as a log holds them, those of each partition in their order. */
  feed(batch: RecordBatch): void {
    this.tasks[batch.partition]!.process(batch)
  }

  /** Hands over what was emitted since it was last asked. */
  emitted(): BatchOutput {
    const { tables, logs } = this.outputs.take()
    return {
      tables,
      logs: new Map([...logs].map(([topic, records]) => [topic, asRecords(records)])),
    }
  }
}
