import { LIMITS } from '../kernel/limits.ts'
import { logErrors } from './errors.ts'
import type { OutgoingRecord, OutgoingRecords } from './log.ts'

/** What the envelope of a record and of each header takes at most. */
export const ENVELOPE_BYTES = 32

/** Bytes of a record in a batch, at most. */
export function recordBytes({ key, value, headers }: OutgoingRecord): number {
  let bytes = ENVELOPE_BYTES + (key?.length ?? 0) + (value?.length ?? 0)
  for (const name in headers) bytes += ENVELOPE_BYTES + 3 * name.length + headers[name]!.length
  return bytes
}

/**
 * Refuses what could never be appended before anything is, so that it takes no other record with
 * it.
 *
 * @throws log.unknownPartition, log.recordTooLarge
 */
export function checkRecords(
  topic: string,
  records: readonly OutgoingRecord[],
  count: number,
): void {
  for (const record of records) {
    const { partition = 0 } = record
    if (partition < 0 || partition >= count) {
      throw logErrors.unknownPartition({ topic, partition, count })
    }
    const bytes = recordBytes(record)
    const bytesMax = LIMITS.recordBytesMax
    if (bytes > bytesMax) throw logErrors.recordTooLarge({ topic, bytes, bytesMax })
  }
}

/** The same records as objects with bytes of their own, for who takes nothing else. */
export function asRecords(records: OutgoingRecords): readonly OutgoingRecord[] {
  if (!('ends' in records)) return records
  const { begin, count, header, ends } = records
  const bytes = Buffer.from(records.bytes.subarray(begin, ends[3 * count - 1]))
  const slice = (from: number, to: number) => bytes.subarray(from - begin, to - begin)
  let start = begin
  return Array.from({ length: count }, (_, i) => {
    const [headerEnd, keyEnd, end] = [ends[3 * i]!, ends[3 * i + 1]!, ends[3 * i + 2]!]
    const headers = { [header]: slice(start, headerEnd) }
    start = end
    return { key: slice(headerEnd, keyEnd), value: slice(keyEnd, end), headers }
  })
}

/** The same records in parts of at most `countMax`, in order; nothing is copied. */
export function slicesOf(records: OutgoingRecords, countMax: number): readonly OutgoingRecords[] {
  const count = countOf(records)
  return Array.from({ length: Math.ceil(count / countMax) }, (_, i) => {
    const from = i * countMax
    const to = Math.min(from + countMax, count)
    if (!('ends' in records)) return records.slice(from, to)
    const begin = from === 0 ? records.begin : records.ends[3 * from - 1]!
    return { ...records, count: to - from, begin, ends: records.ends.subarray(3 * from, 3 * to) }
  })
}

export function countOf(records: OutgoingRecords): number {
  return 'ends' in records ? records.count : records.length
}
