import { crc32c } from '@platformatic/kafka'

/**
 * A record batch (magic 2) that grows in one buffer, record by record. Source: kafka.apache.org,
 * "Message format".
 *
 *   batch  := baseOffset:int64 length:int32 leaderEpoch:int32 magic:int8 crc:uint32
 *             attributes:int16 lastOffsetDelta:int32 baseTimestamp:int64
 *             maxTimestamp:int64 producerId:int64 producerEpoch:int16
 *             baseSequence:int32 count:int32 record*
 *   record := length:varint attributes:int8 timestampDelta:varlong offsetDelta:varint
 *             key:bytes value:bytes headerCount:varint (name:bytes value:bytes)*
 *   bytes  := length:varint byte*              length -1: null
 *
 * All varints are zigzag. All records have the time of the batch, which the log replaces.
 */
const HEAD_BYTES = 61
const UNCOUNTED = 12
const LENGTH_AT = 8
const LEADER_EPOCH_AT = 12
const MAGIC_AT = 16
const CRC_AT = 17
const ATTRIBUTES_AT = 21
const LAST_OFFSET_DELTA_AT = 23
const BASE_TIMESTAMP_AT = 27
const MAX_TIMESTAMP_AT = 35
const PRODUCER_ID_AT = 43
const PRODUCER_EPOCH_AT = 51
const BASE_SEQUENCE_AT = 53
const COUNT_AT = 57

const FIRST_BYTES = 16 * 1024
/** Below this a loop is faster than a call that copies. */
const LOOPED_BYTES = 32

/** By what a broker knows a repeated batch, and its place among those of one producer. */
export interface Signature {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly sequence: number
}

export class BatchWriter {
  count = 0
  private bytes = Buffer.allocUnsafeSlow(FIRST_BYTES)
  private end = HEAD_BYTES

  /** Bytes of the batch so far. */
  get length(): number {
    return this.end
  }

  get capacity(): number {
    return this.bytes.length
  }

  /** Begins anew, in the same memory. */
  clear(): void {
    this.count = 0
    this.end = HEAD_BYTES
  }

  /** Adds a record, of which `bytesMax` is the most that it takes (`recordBytes`). */
  add(
    key: Buffer | null,
    value: Buffer | null,
    headers: Readonly<Record<string, Buffer>> | undefined,
    bytesMax: number,
  ): void {
    let headerCount = 0
    let body = 0
    for (const name in headers) {
      headerCount++
      const nameBytes = Buffer.byteLength(name)
      const valueBytes = headers[name]!.length
      body += sizeOf(nameBytes) + nameBytes + sizeOf(valueBytes) + valueBytes
    }
    const keyBytes = key === null ? -1 : key.length
    const valueBytes = value === null ? -1 : value.length
    this.begin(keyBytes, valueBytes, headerCount, body, bytesMax)
    this.varint(keyBytes)
    if (key !== null) this.copy(key, 0, key.length)
    this.varint(valueBytes)
    if (value !== null) this.copy(value, 0, value.length)
    this.varint(headerCount)
    for (const name in headers) {
      const header = headers[name]!
      this.varint(Buffer.byteLength(name))
      this.text(name)
      this.varint(header.length)
      this.copy(header, 0, header.length)
    }
  }

  /**
   * Adds a record whose one header, key and value lie one behind the other, from `start` on; they
   * end where `ends` says at `at` and behind it.
   */
  addRange(
    name: Buffer,
    from: Buffer,
    start: number,
    ends: Int32Array,
    at: number,
    bytesMax: number,
  ): void {
    const [headerEnd, keyEnd, end] = [ends[at]!, ends[at + 1]!, ends[at + 2]!]
    const headerBytes = headerEnd - start
    const body = sizeOf(name.length) + name.length + sizeOf(headerBytes) + headerBytes
    this.begin(keyEnd - headerEnd, end - keyEnd, 1, body, bytesMax)
    this.varint(keyEnd - headerEnd)
    this.copy(from, headerEnd, keyEnd)
    this.varint(end - keyEnd)
    this.copy(from, keyEnd, end)
    this.varint(1)
    this.varint(name.length)
    this.copy(name, 0, name.length)
    this.varint(headerBytes)
    this.copy(from, start, headerEnd)
  }

  /** The batch as a broker takes it; valid until something is added or begun anew. */
  sign({ producerId, producerEpoch, sequence }: Signature, millis: number): Buffer {
    const { bytes, count, end } = this
    bytes.fill(0, 0, LENGTH_AT)
    bytes.writeInt32BE(end - UNCOUNTED, LENGTH_AT)
    bytes.writeInt32BE(0, LEADER_EPOCH_AT)
    bytes[MAGIC_AT] = 2
    bytes.writeInt16BE(0, ATTRIBUTES_AT)
    bytes.writeInt32BE(count - 1, LAST_OFFSET_DELTA_AT)
    bytes.writeBigInt64BE(BigInt(millis), BASE_TIMESTAMP_AT)
    bytes.writeBigInt64BE(BigInt(millis), MAX_TIMESTAMP_AT)
    bytes.writeBigInt64BE(producerId, PRODUCER_ID_AT)
    bytes.writeInt16BE(producerEpoch, PRODUCER_EPOCH_AT)
    bytes.writeInt32BE(sequence, BASE_SEQUENCE_AT)
    bytes.writeInt32BE(count, COUNT_AT)
    bytes.writeUInt32BE(crc32c(bytes.subarray(ATTRIBUTES_AT, end)), CRC_AT)
    return bytes.subarray(0, end)
  }

  /** Writes what comes before a record's key. `headerBytes`: of all names and values. */
  private begin(
    keyBytes: number,
    valueBytes: number,
    headerCount: number,
    headerBytes: number,
    bytesMax: number,
  ): void {
    if (this.end + bytesMax > this.bytes.length) this.widen(bytesMax)
    const offset = this.count++
    const length =
      2 +
      sizeOf(offset) +
      sizeOf(keyBytes) +
      Math.max(0, keyBytes) +
      sizeOf(valueBytes) +
      Math.max(0, valueBytes) +
      sizeOf(headerCount) +
      headerBytes
    this.varint(length)
    // Attributes, and no difference to the batch's time.
    this.bytes[this.end++] = 0
    this.bytes[this.end++] = 0
    this.varint(offset)
  }

  private widen(more: number): void {
    const wide = Buffer.allocUnsafeSlow(2 * (this.bytes.length + more))
    wide.set(this.bytes.subarray(0, this.end))
    this.bytes = wide
  }

  /** Of -1 and up, below 2^30. */
  private varint(value: number): void {
    const { bytes } = this
    let rest = (value << 1) ^ (value >> 31)
    while (rest > 0x7f) {
      bytes[this.end++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    bytes[this.end++] = rest
  }

  /** Names are short and mostly ASCII, which is written without a call. */
  private text(text: string): void {
    const { bytes, end } = this
    let i = 0
    for (; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      if (unit > 0x7f) break
      bytes[end + i] = unit
    }
    this.end = end + (i === text.length ? i : bytes.write(text, end))
  }

  private copy(from: Buffer, start: number, end: number): void {
    const { bytes } = this
    let to = this.end
    this.end += end - start
    if (end - start > LOOPED_BYTES) from.copy(bytes, to, start, end)
    else for (let i = start; i < end; i++) bytes[to++] = from[i]!
  }
}

/** Bytes of a zigzag varint of -1 and up. */
function sizeOf(value: number): number {
  if (value < 64) return 1
  if (value < 8_192) return 2
  return value < 1_048_576 ? 3 : value < 134_217_728 ? 4 : 5
}
