import type { RecordBatch } from './log.ts'

/** What an adapter's client has of a record: slices of what came over the wire. */
interface KeyAndValue {
  readonly key: Buffer | null
  readonly value: Buffer | null
}

interface BatchHead<R> {
  readonly topic: string
  readonly partition: number
  readonly nextOffset: number
  readonly offsets: Float64Array
  readonly appendMillis: Float64Array
  /** Called only when a header is asked for. */
  readonly headerOf: (record: R, name: string) => Buffer | undefined
}

/**
 * Puts records of one partition into columns. Where all keys and values are slices of one buffer,
 * as a client's are of the response they came in, nothing is copied.
 */
export function toBatch<R extends KeyAndValue>(
  records: readonly R[],
  { headerOf, ...head }: BatchHead<R>,
): RecordBatch {
  const count = records.length
  const keys = new Ranges(count)
  const values = new Ranges(count)
  const memory = sharedMemory(records)
  const bytes = memory === undefined ? copied(records, keys, values) : Buffer.from(memory)
  if (memory !== undefined) {
    for (let i = 0; i < count; i++) {
      const { key, value } = records[i]!
      if (key !== null) keys.set(i, key.byteOffset, key.length)
      if (value !== null) values.set(i, value.byteOffset, value.length)
    }
  }
  return {
    ...head,
    count,
    bytes,
    keyStart: keys.start,
    keyEnd: keys.end,
    valueStart: values.start,
    valueEnd: values.end,
    header: (i, name) => headerOf(records[i]!, name),
  }
}

/** What an adapter has of a record that lies in the log. */
interface StoredRecord extends KeyAndValue {
  readonly offset: number
  readonly appendMillis: number
}

/** Records of one partition that know their offsets and times, in columns. */
export function batchOf<R extends StoredRecord>(
  records: readonly R[],
  head: Omit<BatchHead<R>, 'offsets' | 'appendMillis'>,
): RecordBatch {
  return toBatch(records, {
    ...head,
    offsets: Float64Array.from(records, ({ offset }) => offset),
    appendMillis: Float64Array.from(records, ({ appendMillis }) => appendMillis),
  })
}

/** Ranges of the bytes, all null to begin with. */
class Ranges {
  readonly start: Int32Array
  readonly end: Int32Array

  constructor(count: number) {
    this.start = new Int32Array(count).fill(-1)
    this.end = new Int32Array(count).fill(-1)
  }

  set(i: number, start: number, length: number): void {
    this.start[i] = start
    this.end[i] = start + length
  }
}

/** The one memory that all slices lie in; undefined where there are several, or none at all. */
function sharedMemory(records: readonly KeyAndValue[]): ArrayBufferLike | undefined {
  let memory: ArrayBufferLike | undefined
  for (const { key, value } of records) {
    if (key !== null) {
      memory ??= key.buffer
      if (key.buffer !== memory) return undefined
    }
    if (value !== null) {
      memory ??= value.buffer
      if (value.buffer !== memory) return undefined
    }
  }
  return memory
}

/** All keys and values one behind the other. */
function copied(records: readonly KeyAndValue[], keys: Ranges, values: Ranges): Buffer {
  let length = 0
  for (const { key, value } of records) length += (key?.length ?? 0) + (value?.length ?? 0)
  const bytes = Buffer.allocUnsafe(length)
  let at = 0
  const place = (i: number, slice: Buffer | null, ranges: Ranges) => {
    if (slice === null) return
    bytes.set(slice, at)
    ranges.set(i, at, slice.length)
    at += slice.length
  }
  for (const [i, { key, value }] of records.entries()) {
    place(i, key, keys)
    place(i, value, values)
  }
  return bytes
}

/** The last `count` records of consecutive batches as one. */
export function joined(
  topic: string,
  partition: number,
  batches: readonly RecordBatch[],
  { count, nextOffset }: { count: number; nextOffset: number },
): RecordBatch {
  const all = batches.flatMap((batch) =>
    Array.from({ length: batch.count }, (_, i) => ({
      key: rangeOf(batch, batch.keyStart[i]!, batch.keyEnd[i]!),
      value: rangeOf(batch, batch.valueStart[i]!, batch.valueEnd[i]!),
      batch,
      i,
    })),
  )
  const records = count === 0 ? [] : all.slice(-count)
  return toBatch(records, {
    topic,
    partition,
    nextOffset,
    offsets: Float64Array.from(records, ({ batch, i }) => batch.offsets[i]!),
    appendMillis: Float64Array.from(records, ({ batch, i }) => batch.appendMillis[i]!),
    headerOf: ({ batch, i }, name) => batch.header(i, name),
  })
}

function rangeOf({ bytes }: RecordBatch, start: number, end: number): Buffer | null {
  return start < 0 ? null : bytes.subarray(start, end)
}
