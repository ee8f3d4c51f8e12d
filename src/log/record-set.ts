import { compressionsAlgorithmsByBitmask } from '@platformatic/kafka'
import { logErrors } from './errors.ts'
import type { RecordBatch } from './log.ts'

/**
 * Record batches as a broker stores them (message format 2), read straight into columns: no object
 * a record. Source: kafka.apache.org, protocol guide, "Record Batch".
 *
 *   batch  := baseOffset:int64 length:int32 leaderEpoch:int32 magic:int8 crc:uint32
 *             attributes:int16 lastOffsetDelta:int32 baseTimestamp:int64 maxTimestamp:int64
 *             producerId:int64 producerEpoch:int16 baseSequence:int32 count:int32 record*
 *   record := length:varint attributes:int8 timestampDelta:varlong offsetDelta:varint
 *             key:bytes value:bytes headers:varint (name:bytes value:bytes)*
 *   bytes  := length:varint byte*            -1 is null; varints are zigzag
 */
const HEAD_BYTES = 61
const LENGTH_AT = 8
/** Of the bytes that `length` does not count. */
const UNCOUNTED = 12
const ATTRIBUTES_AT = 21
const LAST_OFFSET_DELTA_AT = 23
const BASE_TIMESTAMP_AT = 27
const MAX_TIMESTAMP_AT = 35
const COUNT_AT = 57

const COMPRESSION = 7
/** The log set the time of all records. */
const LOG_APPEND_TIME = 8
/** Markers of transactions, which are no records. */
const CONTROL_BATCH = 32

export interface RecordRange {
  readonly topic: string
  readonly partition: number
  readonly from: number
  /** Not included. */
  readonly to: number
}

const int64 = (bytes: Buffer, at: number) =>
  bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4)

/**
 * The records of `bytes` that lie in [from, to). A batch is stored and fetched whole: it may begin
 * before the range and end behind it, and the last one may be cut off.
 */
export function readRecordSet(bytes: Buffer, range: RecordRange): RecordBatch {
  const batches = wholeBatches(bytes)
  let count = 0
  let isPlain = true
  for (const at of batches) {
    count += bytes.readInt32BE(at + COUNT_AT)
    isPlain &&= (bytes.readInt16BE(at + ATTRIBUTES_AT) & COMPRESSION) === 0
  }
  if (!isPlain) return readRecordSet(unpacked(bytes, batches), range)
  const columns = new Columns(bytes, count, range)
  let next = range.from
  for (const at of batches) {
    const base = int64(bytes, at)
    next = Math.max(next, base + bytes.readInt32BE(at + LAST_OFFSET_DELTA_AT) + 1)
    const attributes = bytes.readInt16BE(at + ATTRIBUTES_AT)
    if ((attributes & CONTROL_BATCH) !== 0) continue
    columns.batch(at, base, (attributes & LOG_APPEND_TIME) !== 0)
  }
  return columns.finish(Math.min(next, range.to))
}

function wholeBatches(bytes: Buffer): readonly number[] {
  const batches: number[] = []
  let at = 0
  while (at + HEAD_BYTES <= bytes.length) {
    const end = at + UNCOUNTED + bytes.readInt32BE(at + LENGTH_AT)
    if (end > bytes.length) break
    batches.push(at)
    at = end
  }
  return batches
}

class Columns {
  private count = 0
  private at = 0
  private readonly bytes: Buffer
  private readonly range: RecordRange
  private readonly offsets: Float64Array
  private readonly appendMillis: Float64Array
  private readonly keyStart: Int32Array
  private readonly keyEnd: Int32Array
  private readonly valueStart: Int32Array
  private readonly valueEnd: Int32Array
  private readonly headersAt: Int32Array

  constructor(bytes: Buffer, countMax: number, range: RecordRange) {
    this.bytes = bytes
    this.range = range
    this.offsets = new Float64Array(countMax)
    this.appendMillis = new Float64Array(countMax)
    this.keyStart = new Int32Array(countMax)
    this.keyEnd = new Int32Array(countMax)
    this.valueStart = new Int32Array(countMax)
    this.valueEnd = new Int32Array(countMax)
    this.headersAt = new Int32Array(countMax)
  }

  batch(start: number, base: number, isAppendTime: boolean): void {
    const { bytes, range } = this
    const baseMillis = int64(bytes, start + (isAppendTime ? MAX_TIMESTAMP_AT : BASE_TIMESTAMP_AT))
    const count = bytes.readInt32BE(start + COUNT_AT)
    this.at = start + HEAD_BYTES
    for (let n = 0; n < count; n++) {
      const length = this.varint()
      const end = this.at + length
      this.at += 1
      const millis = this.varlong()
      const offset = base + this.varint()
      if (offset >= range.from && offset < range.to) {
        const i = this.count++
        this.offsets[i] = offset
        this.appendMillis[i] = isAppendTime ? baseMillis : baseMillis + millis
        const keyLength = this.varint()
        this.keyStart[i] = keyLength < 0 ? -1 : this.at
        this.at += Math.max(0, keyLength)
        this.keyEnd[i] = keyLength < 0 ? -1 : this.at
        const valueLength = this.varint()
        this.valueStart[i] = valueLength < 0 ? -1 : this.at
        this.at += Math.max(0, valueLength)
        this.valueEnd[i] = valueLength < 0 ? -1 : this.at
        this.headersAt[i] = this.at
      }
      this.at = end
    }
  }

  /** Zigzag, up to 32 bits. */
  private varint(): number {
    const { bytes } = this
    let byte = bytes[this.at++]!
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
    let value = byte & 0x7f
    for (let shift = 7; shift < 35; shift += 7) {
      byte = bytes[this.at++]!
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    return (value >>> 1) ^ -(value & 1)
  }

  /** Zigzag, exact up to 2^53. */
  private varlong(): number {
    const { bytes } = this
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[this.at++]!
      value += (byte & 0x7f) * scale
      if (byte < 0x80) break
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  finish(nextOffset: number): RecordBatch {
    const { topic, partition } = this.range
    const { bytes, count, offsets, appendMillis, keyStart, keyEnd, valueStart, valueEnd } = this
    return {
      ...{ topic, partition, count, bytes, nextOffset },
      ...{ offsets, appendMillis, keyStart, keyEnd, valueStart, valueEnd },
      header: (i, name) => this.header(i, name),
    }
  }

  /** The last of that name, as every client has it. */
  private header(i: number, name: string): Buffer | undefined {
    const { bytes } = this
    this.at = this.headersAt[i]!
    let found: Buffer | undefined
    for (let left = this.varint(); left > 0; left--) {
      const nameLength = this.varint()
      const isIt = bytes.toString('utf8', this.at, this.at + nameLength) === name
      this.at += nameLength
      const length = this.varint()
      if (isIt) found = length < 0 ? undefined : bytes.subarray(this.at, this.at + length)
      this.at += Math.max(0, length)
    }
    return found
  }
}

/**
 * The same batches with none compressed. We compress nothing ourselves, so that this is the rare
 * way, and a library's.
 */
function unpacked(bytes: Buffer, batches: readonly number[]): Buffer {
  const parts = batches.map((at) => {
    const end = at + UNCOUNTED + bytes.readInt32BE(at + LENGTH_AT)
    const head = bytes.subarray(at, at + HEAD_BYTES)
    const attributes = head.readInt16BE(ATTRIBUTES_AT)
    if ((attributes & COMPRESSION) === 0) return bytes.subarray(at, end)
    const algorithm = compressionsAlgorithmsByBitmask[attributes & COMPRESSION]
    if (algorithm === undefined) {
      throw logErrors.unknownCompression({ bits: attributes & COMPRESSION })
    }
    const records = algorithm.decompressSync(bytes.subarray(at + HEAD_BYTES, end))
    const plain = Buffer.concat([head, records])
    plain.writeInt16BE(attributes & ~COMPRESSION, ATTRIBUTES_AT)
    plain.writeInt32BE(plain.length - UNCOUNTED, LENGTH_AT)
    return plain
  })
  return Buffer.concat(parts)
}
