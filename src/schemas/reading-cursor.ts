import { LONG_MAX } from './longs.ts'

/**
 * Walks a Reading in a buffer without making an object: what the engine reads with. `open` reads
 * the head, each `next` one measurement; texts are byte ranges of the buffer.
 *
 *   reading := tenant:string meterId:string at:long seq:(0 | 1 long) measurements:array
 *   array   := (count:long [size:long] item*)* 0      a negative count has the block's bytes behind
 *   it
 *   item    := channel:string value:double quality:enum
 *   string  := length:long bytes ; long := zigzag varint ; double := 8 bytes, little endian
 *
 * Source: Avro 1.12 specification, "Binary encoding"; the order of fields is
 * `schemas/reading.avsc`.
 */
export class ReadingCursor {
  tenantStart = 0
  tenantEnd = 0
  meterStart = 0
  meterEnd = 0
  atMicros = 0
  /** -Infinity where the reading has none: lower than any. */
  seq = 0
  channelStart = 0
  channelEnd = 0
  value = 0
  /** Index into `QUALITIES`: 0 is the best. */
  quality = 0
  /** Whether the bytes are no Reading: nothing read since `open` is to be used. */
  damaged = false

  private bytes: Buffer = Buffer.alloc(0)
  private view: DataView = new DataView(new ArrayBuffer(0))
  private position = 0
  private end = 0
  private left = 0

  /**
   * Starts on the Avro body (behind the wire header) in [start, end). Answers false where it is
   * damaged.
   */
  open(bytes: Buffer, start: number, end: number): boolean {
    if (bytes !== this.bytes) {
      this.bytes = bytes
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    this.position = start
    this.end = end
    this.damaged = end > bytes.length
    if (this.damaged) return false
    this.left = -1
    this.tenantEnd = this.text()
    this.tenantStart = this.textStart
    this.meterEnd = this.text()
    this.meterStart = this.textStart
    this.atMicros = this.long()
    const branch = this.long()
    if (branch === 0) this.seq = -Infinity
    else if (branch === 1) this.seq = this.long()
    else this.damaged = true
    return !this.damaged
  }

  /** Moves to the next measurement. False at the end, and where the bytes are damaged. */
  next(): boolean {
    if (this.damaged) return false
    if (this.left <= 0) {
      if (this.left === 0 && this.finished) return false
      if (!this.block()) return false
    }
    this.left--
    this.channelEnd = this.text()
    this.channelStart = this.textStart
    if (this.position + 8 > this.end) {
      this.damaged = true
      return false
    }
    this.value = this.view.getFloat64(this.position, true)
    this.position += 8
    this.quality = this.long()
    if (this.quality < 0 || this.quality > 3) this.damaged = true
    return !this.damaged
  }

  private finished = false
  private textStart = 0

  /** Reads a block's head. False at the array's end. */
  private block(): boolean {
    this.finished = false
    let count = this.long()
    if (count < 0) {
      count = -count
      this.long()
    }
    if (this.damaged) return false
    if (count === 0) {
      this.left = 0
      this.finished = true
      // Bytes behind the record: somebody else's schema, or a broken writer.
      if (this.position !== this.end) this.damaged = true
      return false
    }
    this.left = count
    return true
  }

  private text(): number {
    const length = this.long()
    this.textStart = this.position
    if (length < 0 || length > this.end - this.position) {
      this.damaged = true
      return this.position
    }
    this.position += length
    return this.position
  }

  /** Zigzag varint; beyond `LONG_MAX` in magnitude the reading counts as damaged. */
  private long(): number {
    const { bytes, end } = this
    let at = this.position
    let low = 0
    let shift = 0
    // 28 bits fit the integer arithmetic that is fast.
    while (shift < 28) {
      if (at >= end) return this.cut()
      const byte = bytes[at++]!
      low |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.position = at
        return (low >>> 1) ^ -(low & 1)
      }
      shift += 7
    }
    let high = 0
    let scale = 1
    for (;;) {
      if (at >= end || scale > 2 ** 42) return this.cut()
      const byte = bytes[at++]!
      high += (byte & 0x7f) * scale
      scale *= 128
      if (byte < 0x80) break
    }
    this.position = at
    // Halving is exact only without the lowest bit, which is the sign.
    const half = high * 2 ** 27 + (low >>> 1)
    const value = (low & 1) === 1 ? -half - 1 : half
    return value > LONG_MAX || value < -LONG_MAX ? this.cut() : value
  }

  private cut(): number {
    this.damaged = true
    this.position = this.end
    return 0
  }
}
