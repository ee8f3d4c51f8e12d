import { partitionOf } from '../../kernel/ids.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { logErrors } from '../errors.ts'
import type { OutgoingBatch, OutgoingRecord, OutgoingRecords } from '../log.ts'
import { ENVELOPE_BYTES, checkRecords, recordBytes } from '../outgoing.ts'
import type { BatchWriter } from './batch-writer.ts'

/** The records of one append, whichever form they have. */
export interface OutgoingList {
  readonly count: number
  /** Bytes of record `i` in a batch, at most. */
  sizeOf(i: number): number
  /** Among `count` partitions. */
  partitionOf(i: number, count: number): number
  addTo(writer: BatchWriter, i: number): void
  /** @throws log.unknownPartition, log.recordTooLarge */
  check(topic: string, count: number): void
}

export function listOf(records: OutgoingRecords): OutgoingList {
  return 'ends' in records ? new BatchList(records) : new RecordList(records)
}

const EMPTY = Buffer.alloc(0)

class RecordList implements OutgoingList {
  readonly count: number
  private readonly records: readonly OutgoingRecord[]

  constructor(records: readonly OutgoingRecord[]) {
    this.records = records
    this.count = records.length
  }

  sizeOf(i: number): number {
    return recordBytes(this.records[i]!)
  }

  partitionOf(i: number, count: number): number {
    const { partition, key } = this.records[i]!
    return partition ?? partitionOf(key ?? EMPTY, count)
  }

  addTo(writer: BatchWriter, i: number): void {
    const record = this.records[i]!
    writer.add(record.key, record.value, record.headers, recordBytes(record))
  }

  check(topic: string, count: number): void {
    checkRecords(topic, this.records, count)
  }
}

class BatchList implements OutgoingList {
  readonly count: number
  private readonly batch: OutgoingBatch
  private readonly name: Buffer

  constructor(batch: OutgoingBatch) {
    this.batch = batch
    this.count = batch.count
    this.name = Buffer.from(batch.header)
  }

  private startOf(i: number): number {
    return i === 0 ? this.batch.begin : this.batch.ends[3 * i - 1]!
  }

  sizeOf(i: number): number {
    const bytes = this.batch.ends[3 * i + 2]! - this.startOf(i)
    return 2 * ENVELOPE_BYTES + this.name.length + bytes
  }

  partitionOf(i: number, count: number): number {
    const { bytes, ends } = this.batch
    return partitionOf(bytes, count, ends[3 * i], ends[3 * i + 1])
  }

  addTo(writer: BatchWriter, i: number): void {
    const { bytes, ends } = this.batch
    const size = this.sizeOf(i)
    writer.addRange(this.name, bytes, this.startOf(i), ends, 3 * i, size)
  }

  check(topic: string): void {
    const bytesMax = LIMITS.recordBytesMax
    for (let i = 0; i < this.count; i++) {
      const bytes = this.sizeOf(i)
      if (bytes > bytesMax) throw logErrors.recordTooLarge({ topic, bytes, bytesMax })
    }
  }
}
