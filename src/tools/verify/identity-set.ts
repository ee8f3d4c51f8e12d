/**
 * Hashes of identities with a byte of marks each, in bounded memory: open addressing in typed
 * arrays.
 *
 * - share: the hashes whose lowest `bits` bits are `value`. A set that would grow beyond its limit
 *   halves its share and lets the other half go, which another pass then takes up.
 */
export interface Share {
  readonly bits: number
  readonly value: number
}

/** Where an identity was seen. */
export const IN_LOG = 1
export const STORED = 2
/** In the log, behind the end offsets at the start of the command. */
export const IN_TAIL = 4
export const STORED_TWICE = 8
/** Its partition's beginning was deleted by the log's retention. */
export const MAY_BE_DELETED = 16

const LOAD_MAX = 0.7
const FIRST_SLOTS = 1 << 16

export class IdentitySet {
  share: Share
  size = 0
  /** The halves that were let go, to be looked at in passes of their own. */
  readonly left: Share[] = []
  private readonly slotsMax: number
  private high: Uint32Array
  private low: Uint32Array
  private marks: Uint8Array

  /** @param slotsMax A power of two: nine bytes each. */
  constructor(share: Share, slotsMax: number) {
    this.share = share
    this.slotsMax = slotsMax
    const slots = Math.min(FIRST_SLOTS, slotsMax)
    this.high = new Uint32Array(slots)
    this.low = new Uint32Array(slots)
    this.marks = new Uint8Array(slots)
  }

  /** Whether a hash is one of this pass. */
  holds(low: number): boolean {
    const { bits, value } = this.share
    return bits === 0 || (low << (32 - bits)) >>> (32 - bits) === value
  }

  /** The marks of a hash; 0 where it is not there. */
  marksOf(high: number, low: number): number {
    return this.marks[this.slotOf(high, low)]!
  }

  /** Adds marks to a hash, which is put in where it is missing. @returns The marks that it had. */
  mark(high: number, low: number, marks: number): number {
    if (!this.holds(low)) return 0
    const slot = this.slotOf(high, low)
    const before = this.marks[slot]!
    this.marks[slot] = before | marks
    if (before !== 0) return before
    this.high[slot] = high
    this.low[slot] = low
    if (++this.size > LOAD_MAX * this.marks.length) this.grow()
    return 0
  }

  /** Every hash with its marks, in no order that means anything. */
  forEach(visit: (marks: number, high: number, low: number) => void): void {
    for (let slot = 0; slot < this.marks.length; slot++) {
      const marks = this.marks[slot]!
      if (marks !== 0) visit(marks, this.high[slot]!, this.low[slot]!)
    }
  }

  /**
   * The slot that holds a hash, or the free one where it would be put. Free is what has no marks.
   */
  private slotOf(high: number, low: number): number {
    const mask = this.marks.length - 1
    // The share uses the low half's low bits, so the place is made of the high half.
    let slot = high & mask
    while (this.marks[slot] !== 0 && (this.high[slot] !== high || this.low[slot] !== low)) {
      slot = (slot + 1) & mask
    }
    return slot
  }

  private grow(): void {
    if (this.marks.length < this.slotsMax) {
      this.rebuild(2 * this.marks.length)
      return
    }
    const { bits, value } = this.share
    this.left.push({ bits: bits + 1, value: value + 2 ** bits })
    this.share = { bits: bits + 1, value }
    this.rebuild(this.marks.length)
  }

  private rebuild(slots: number): void {
    const { high, low, marks } = this
    this.high = new Uint32Array(slots)
    this.low = new Uint32Array(slots)
    this.marks = new Uint8Array(slots)
    this.size = 0
    for (let from = 0; from < marks.length; from++) {
      if (marks[from] === 0 || !this.holds(low[from]!)) continue
      const slot = this.slotOf(high[from]!, low[from]!)
      this.high[slot] = high[from]!
      this.low[slot] = low[from]!
      this.marks[slot] = marks[from]!
      this.size++
    }
  }
}
