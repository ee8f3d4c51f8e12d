import { ReadingCursor } from '../schemas/reading-cursor.ts'

const BAD = 3

/**
 * A reading as a whole, in columns that are used again for the next: nothing of one whose bytes
 * turn out to be damaged at their end is taken in.
 */
export class WholeReading {
  readonly cursor = new ReadingCursor()
  count = 0
  channelStart = new Int32Array(64)
  channelEnd = new Int32Array(64)
  value = new Float64Array(64)
  quality = new Uint8Array(64)

  /** Reads the Avro body in [start, end). Answers false where it is no reading. */
  read(bytes: Buffer, start: number, end: number): boolean {
    const { cursor } = this
    this.count = 0
    if (!cursor.open(bytes, start, end)) return false
    while (cursor.next()) {
      if (this.count === this.value.length) this.widen()
      const i = this.count++
      this.channelStart[i] = cursor.channelStart
      this.channelEnd[i] = cursor.channelEnd
      this.value[i] = cursor.value
      // A value that is no number is stored as it is, and must get into no sum.
      this.quality[i] = Number.isFinite(cursor.value) ? cursor.quality : BAD
    }
    return !cursor.damaged
  }

  /** Whether a record's key in [start, end) is `tenant/meterId` of this reading. */
  hasKey(bytes: Buffer, keyBytes: Buffer, start: number, end: number): boolean {
    const { tenantStart, tenantEnd, meterStart, meterEnd } = this.cursor
    const slash = start + tenantEnd - tenantStart
    if (start < 0 || end - slash !== 1 + meterEnd - meterStart || keyBytes[slash] !== 0x2f)
      return false
    for (let k = tenantStart, at = start; k < tenantEnd; k++, at++) {
      if (keyBytes[at] !== bytes[k]) return false
    }
    for (let k = meterStart, at = slash + 1; k < meterEnd; k++, at++) {
      if (keyBytes[at] !== bytes[k]) return false
    }
    return true
  }

  private widen(): void {
    const wide = <T extends Int32Array | Float64Array | Uint8Array>(old: T, made: T): T => {
      made.set(old)
      return made
    }
    const room = 2 * this.value.length
    this.channelStart = wide(this.channelStart, new Int32Array(room))
    this.channelEnd = wide(this.channelEnd, new Int32Array(room))
    this.value = wide(this.value, new Float64Array(room))
    this.quality = wide(this.quality, new Uint8Array(room))
  }
}
