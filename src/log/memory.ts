import { MICROS_PER_MILLI } from '../kernel/time.ts'
import type { Clock } from '../kernel/time.ts'
import { partitionOf } from '../kernel/ids.ts'
import { toBatch } from './batch.ts'
import { logErrors } from './errors.ts'
import { MemoryGroup } from './memory-group.ts'
import type {
  AppendedRange,
  CommittedOffset,
  Log,
  OutgoingRecord,
  Producer,
  ReadOptions,
  RecordBatch,
  SubscribeOptions,
  Subscription,
  TopicSpec,
} from './log.ts'

export interface MemoryRecord {
  readonly offset: number
  readonly appendMillis: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, Buffer>>
}

const EMPTY = Buffer.alloc(0)
const READ_RECORDS_MAX = 500

/** The log in memory: for tests, with a clock that is handed in, and the same from run to run. */
export class MemoryLog implements Log {
  private readonly topics = new Map<string, MemoryRecord[][]>()
  private readonly groups = new Map<string, MemoryGroup>()
  private readonly clock: Clock

  constructor(clock: Clock) {
    this.clock = clock
  }

  createTopics(specs: readonly TopicSpec[]): Promise<void> {
    for (const spec of specs) {
      const found = this.topics.get(spec.topic)
      if (found !== undefined && found.length !== spec.partitions) {
        const { topic, partitions: wanted } = spec
        return Promise.reject(logErrors.partitionCount({ topic, wanted, found: found.length }))
      }
      if (found !== undefined) continue
      this.topics.set(
        spec.topic,
        Array.from({ length: spec.partitions }, () => []),
      )
    }
    return Promise.resolve()
  }

  deleteTopics(topics: readonly string[]): Promise<void> {
    for (const topic of topics) this.topics.delete(topic)
    return Promise.resolve()
  }

  partitions(topic: string): MemoryRecord[][] {
    const found = this.topics.get(topic)
    if (found === undefined) throw logErrors.unknownTopic({ topic })
    return found
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- a throw must become a rejection
  async partitionCount(topic: string): Promise<number> {
    return this.partitions(topic).length
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- a throw must become a rejection
  async beginOffsets(topic: string): Promise<readonly number[]> {
    return this.partitions(topic).map((records) => records[0]?.offset ?? 0)
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- a throw must become a rejection
  async endOffsets(topic: string): Promise<readonly number[]> {
    return this.partitions(topic).map(endOf)
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- a throw must become a rejection
  async committed(group: string, topic: string): Promise<readonly CommittedOffset[]> {
    const found = this.groups.get(group)
    return this.partitions(topic).map(
      (_, partition) => found?.committed(topic, partition) ?? { offset: -1, metadata: '' },
    )
  }

  /** Appends at once; what a producer calls. */
  appendNow(topic: string, records: readonly OutgoingRecord[]): readonly AppendedRange[] {
    const partitions = this.partitions(topic)
    const appendMillis = Math.floor(this.clock.nowMicros() / MICROS_PER_MILLI)
    const ranges = new Map<number, AppendedRange>()
    for (const record of records) {
      const partition = record.partition ?? partitionOf(record.key ?? EMPTY, partitions.length)
      const list = partitions[partition]
      if (list === undefined) throw logErrors.unknownTopic({ topic: `${topic}:${partition}` })
      const offset = endOf(list)
      if (!ranges.has(partition)) ranges.set(partition, { partition, baseOffset: offset })
      const { key, value, headers = {} } = record
      list.push({ offset, appendMillis, key, value, headers })
    }
    for (const group of this.groups.values()) group.wake()
    return [...ranges.values()]
  }

  producer(): Promise<Producer> {
    let closed = false
    return Promise.resolve({
      // eslint-disable-next-line @typescript-eslint/require-await -- a throw must become a rejection
      append: async (topic: string, records: readonly OutgoingRecord[]) => {
        if (closed) throw logErrors.closed({ what: 'the producer' })
        return this.appendNow(topic, records)
      },
      close: () => {
        closed = true
        return Promise.resolve()
      },
    })
  }

  subscribe(options: SubscribeOptions): Promise<Subscription> {
    let group = this.groups.get(options.group)
    if (group === undefined) {
      group = new MemoryGroup(this)
      this.groups.set(options.group, group)
    }
    return Promise.resolve(group.join(options))
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the port is asynchronous
  async *read(options: ReadOptions): AsyncIterable<RecordBatch> {
    const { topic, partition } = options
    const records = this.partitions(topic)[partition] ?? []
    const to = Math.min(options.to ?? Infinity, endOf(records))
    const wanted = records.filter((r) => r.offset >= options.from && r.offset < to)
    for (let at = 0; at < wanted.length; at += READ_RECORDS_MAX) {
      const part = wanted.slice(at, at + READ_RECORDS_MAX)
      yield memoryBatch(topic, partition, part, part.at(-1)!.offset + 1)
    }
  }

  readEnd(topic: string, partition: number, count: number): Promise<RecordBatch> {
    const records = this.partitions(topic)[partition] ?? []
    return Promise.resolve(memoryBatch(topic, partition, records.slice(-count), endOf(records)))
  }

  async close(): Promise<void> {
    await Promise.all([...this.groups.values()].map((group) => group.close()))
  }
}

export function endOf(records: readonly MemoryRecord[]): number {
  const last = records.at(-1)
  return last === undefined ? 0 : last.offset + 1
}

export function memoryBatch(
  topic: string,
  partition: number,
  records: readonly MemoryRecord[],
  nextOffset: number,
): RecordBatch {
  return toBatch(topic, partition, records, nextOffset, (record, name) => record.headers[name])
}
