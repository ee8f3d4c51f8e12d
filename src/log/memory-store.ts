import { partitionOf } from '../kernel/ids.ts'
import { MICROS_PER_MILLI } from '../kernel/time.ts'
import type { Clock } from '../kernel/time.ts'
import { batchOf } from './batch.ts'
import { logErrors } from './errors.ts'
import type { AppendedRange, OutgoingRecord, RecordBatch } from './log.ts'
import { checkRecords } from './outgoing.ts'

/** A record as it lies in memory. */
export interface MemoryRecord {
  readonly offset: number
  readonly appendMillis: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, Buffer>>
}

interface Partition {
  /** By offset; with gaps where offsets were skipped. */
  readonly records: MemoryRecord[]
  /** What lies below is freed. */
  begin: number
  end: number
}

const BATCH_RECORDS_MAX = 500
const EMPTY = Buffer.alloc(0)

/** The records of the memory log, by topic and partition. */
export class MemoryStore {
  private readonly topics = new Map<string, readonly Partition[]>()
  private readonly clock: Clock
  private readonly batchRecords: () => number

  constructor(clock: Clock, batchRecords = () => BATCH_RECORDS_MAX) {
    this.clock = clock
    this.batchRecords = batchRecords
  }

  has(topic: string): boolean {
    return this.topics.has(topic)
  }

  create(topic: string, partitions: number): void {
    const made = Array.from({ length: partitions }, (): Partition => ({
      records: [],
      begin: 0,
      end: 0,
    }))
    this.topics.set(topic, made)
  }

  delete(topic: string): void {
    this.topics.delete(topic)
  }

  /** @throws log.unknownTopic */
  partitions(topic: string): readonly Partition[] {
    const found = this.topics.get(topic)
    if (found === undefined) throw logErrors.unknownTopic({ topic })
    return found
  }

  /** @throws log.unknownTopic, log.unknownPartition */
  partition(topic: string, partition: number): Partition {
    const partitions = this.partitions(topic)
    const found = partitions[partition]
    if (found !== undefined) return found
    throw logErrors.unknownPartition({ topic, partition, count: partitions.length })
  }

  /** Appends all of the records, or none where one of them has no place. */
  append(topic: string, records: readonly OutgoingRecord[]): readonly AppendedRange[] {
    const count = this.partitions(topic).length
    checkRecords(topic, records, count)
    const places = records.map(({ partition, key }) =>
      this.partition(topic, partition ?? partitionOf(key ?? EMPTY, count)),
    )
    const appendMillis = Math.floor(this.clock.nowMicros() / MICROS_PER_MILLI)
    const ranges = new Map<Partition, AppendedRange>()
    for (const [i, place] of places.entries()) {
      const { key, value, headers = {} } = records[i]!
      if (!ranges.has(place)) {
        const partition = this.partitions(topic).indexOf(place)
        ranges.set(place, { partition, baseOffset: place.end })
      }
      place.records.push({ offset: place.end++, appendMillis, key, value, headers })
    }
    return [...ranges.values()]
  }

  /** Leaves out the next offsets of a partition, as transactions and compaction do in Kafka. */
  skip(topic: string, partition: number, offsets: number): void {
    this.partition(topic, partition).end += offsets
  }

  /** Forgets what lies below an offset. */
  free(topic: string, partition: number, before: number): void {
    const found = this.partition(topic, partition)
    found.begin = Math.max(found.begin, Math.min(before, found.end))
    found.records.splice(0, firstAt(found.records, found.begin))
  }

  /**
   * The next batch of [from, to), and how to read on; undefined where there is none.
   */
  slice(
    topic: string,
    partition: number,
    range: { from: number; to: number },
  ): RecordBatch | undefined {
    const { records, end } = this.partition(topic, partition)
    const to = Math.min(range.to, end)
    const first = firstAt(records, range.from)
    const known = firstAt(records, to)
    if (known <= first) return undefined
    const last = Math.min(known, first + this.batchRecords())
    const next = last < records.length ? records[last]!.offset : end
    const nextOffset = Math.min(next, to)
    return batchOf(records.slice(first, last), { topic, partition, nextOffset, headerOf })
  }

  tail(topic: string, partition: number, count: number): RecordBatch {
    const { records, end } = this.partition(topic, partition)
    const from = Math.max(0, records.length - count)
    return batchOf(records.slice(from), { topic, partition, nextOffset: end, headerOf })
  }
}

/** The index of the first record at or behind `offset`. */
function firstAt(records: readonly MemoryRecord[], offset: number): number {
  let low = 0
  let high = records.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (records[middle]!.offset < offset) low = middle + 1
    else high = middle
  }
  return low
}

const headerOf = ({ headers }: MemoryRecord, name: string) => headers[name]
