import type { RecordBatch } from './log.ts'

/** What an adapter knows of a record on its way into a batch. */
export interface IncomingRecord {
  readonly offset: number
  readonly appendMillis: number
  readonly key: Buffer | null
  readonly value: Buffer | null
}

/**
 * Puts records of one partition into columns. Where all keys and values are slices of one buffer,
 * as a client's are of the response they came in, nothing is copied.
 */
export function toBatch<R extends IncomingRecord>(
  topic: string,
  partition: number,
  records: readonly R[],
  nextOffset: number,
  headerOf: (record: R, name: string) => Buffer | undefined,
): RecordBatch {
  const count = records.length
  const keyStart = new Int32Array(count)
  const keyEnd = new Int32Array(count)
  const valueStart = new Int32Array(count)
  const valueEnd = new Int32Array(count)
  const offsets = new Float64Array(count)
  const appendMillis = new Float64Array(count)
  const whole = sharedBuffer(records)
  const bytes = whole ?? Buffer.allocUnsafe(totalBytes(records))
  let at = 0
  const place = (slice: Buffer | null, start: Int32Array, end: Int32Array, i: number) => {
    if (slice === null) {
      start[i] = end[i] = -1
    } else if (whole !== undefined) {
      start[i] = slice.byteOffset
      end[i] = slice.byteOffset + slice.length
    } else {
      bytes.set(slice, at)
      start[i] = at
      end[i] = at += slice.length
    }
  }
  for (let i = 0; i < count; i++) {
    const record = records[i]!
    offsets[i] = record.offset
    appendMillis[i] = record.appendMillis
    place(record.key, keyStart, keyEnd, i)
    place(record.value, valueStart, valueEnd, i)
  }
  return {
    topic,
    partition,
    count,
    offsets,
    appendMillis,
    bytes,
    keyStart,
    keyEnd,
    valueStart,
    valueEnd,
    header: (i, name) => headerOf(records[i]!, name),
    nextOffset,
  }
}

/**
 * The one memory that all slices lie in, as a buffer from its beginning; undefined where there are
 * several.
 */
function sharedBuffer(records: readonly IncomingRecord[]): Buffer | undefined {
  let memory: ArrayBufferLike | undefined
  for (const { key, value } of records) {
    for (const slice of [key, value]) {
      if (slice === null || slice.length === 0) continue
      if (memory === undefined) memory = slice.buffer
      else if (slice.buffer !== memory) return undefined
    }
  }
  return memory === undefined ? undefined : Buffer.from(memory)
}

function totalBytes(records: readonly IncomingRecord[]): number {
  let total = 0
  for (const { key, value } of records) total += (key?.length ?? 0) + (value?.length ?? 0)
  return total
}
