import { LIMITS } from '../kernel/limits.ts'

/**
 * The samples of all series of a task: for each series a list ascending in `at`, in blocks of an
 * arena of typed arrays. A block's size is a power of two; blocks that a list has outgrown are used
 * again.
 */

const CHUNK = 65_536
const SHIFT = 16
const MASK = CHUNK - 1
const SMALLEST = 8

export class SampleStore {
  private readonly at: Float64Array[] = []
  private readonly value: Float64Array[] = []
  private readonly seq: Float64Array[] = []
  private readonly quality: Uint8Array[] = []
  private readonly free = new Map<number, number[]>()
  private nextBlock = 0

  private base = new Float64Array(0)
  private capacity = new Int32Array(0)
  private length = new Int32Array(0)

  /** Makes room for `lists` lists; new ones are empty. */
  grow(lists: number): void {
    if (lists <= this.base.length) return
    const room = Math.max(1_024, 2 * lists)
    const base = new Float64Array(room)
    const capacity = new Int32Array(room)
    const length = new Int32Array(room)
    base.set(this.base)
    capacity.set(this.capacity)
    length.set(this.length)
    Object.assign(this, { base, capacity, length })
  }

  count(list: number): number {
    return this.length[list]!
  }

  atOf(list: number, index: number): number {
    const place = this.base[list]! + index
    return this.at[place >>> SHIFT]![place & MASK]!
  }

  valueOf(list: number, index: number): number {
    const place = this.base[list]! + index
    return this.value[place >>> SHIFT]![place & MASK]!
  }

  seqOf(list: number, index: number): number {
    const place = this.base[list]! + index
    return this.seq[place >>> SHIFT]![place & MASK]!
  }

  qualityOf(list: number, index: number): number {
    const place = this.base[list]! + index
    return this.quality[place >>> SHIFT]![place & MASK]!
  }

  /** The index of the first sample at or after `at`; the count where there is none. */
  lowerBound(list: number, at: number): number {
    const count = this.length[list]!
    // Nearly all come in order: look at the end first.
    if (count === 0 || this.atOf(list, count - 1) < at) return count
    let low = 0
    let high = count - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.atOf(list, middle) < at) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Puts a sample at `index`. Answers false where the list is at its limit. */
  insert(
    list: number,
    index: number,
    at: number,
    value: number,
    seq: number,
    quality: number,
  ): boolean {
    const count = this.length[list]!
    if (count >= LIMITS.samplesPerSeriesMax) return false
    if (count === this.capacity[list]!) this.enlarge(list)
    const place = this.base[list]! + index
    if (index < count) this.move(place, place + 1, count - index)
    this.length[list] = count + 1
    this.replace(list, index, at, value, seq, quality)
    return true
  }

  replace(
    list: number,
    index: number,
    at: number,
    value: number,
    seq: number,
    quality: number,
  ): void {
    const place = this.base[list]! + index
    const chunk = place >>> SHIFT
    const within = place & MASK
    this.at[chunk]![within] = at
    this.value[chunk]![within] = value
    this.seq[chunk]![within] = seq
    this.quality[chunk]![within] = quality
  }

  /** Forgets the first `count` samples of a list. */
  dropFirst(list: number, count: number): void {
    if (count <= 0) return
    const left = this.length[list]! - count
    const place = this.base[list]!
    if (left > 0) this.move(place + count, place, left)
    this.length[list] = left
  }

  get bytes(): number {
    return this.at.length * CHUNK * 25 + this.base.length * 16
  }

  private move(from: number, to: number, count: number): void {
    const chunk = from >>> SHIFT
    const start = from & MASK
    for (const column of [this.at, this.value, this.seq, this.quality]) {
      column[chunk]!.copyWithin(to & MASK, start, start + count)
    }
  }

  private enlarge(list: number): void {
    const capacity = this.capacity[list]!
    const wanted = capacity === 0 ? SMALLEST : 2 * capacity
    const from = this.base[list]!
    const to = this.block(wanted)
    const count = this.length[list]!
    if (count > 0) {
      const start = from & MASK
      for (const column of [this.at, this.value, this.seq, this.quality]) {
        column[to >>> SHIFT]!.set(column[from >>> SHIFT]!.subarray(start, start + count), to & MASK)
      }
    }
    if (capacity > 0) {
      const free = this.free.get(capacity)
      if (free === undefined) this.free.set(capacity, [from])
      else free.push(from)
    }
    this.base[list] = to
    this.capacity[list] = wanted
  }

  /** A block lies within one chunk: sizes are powers of two, and each is aligned to its own. */
  private block(size: number): number {
    const used = this.free.get(size)?.pop()
    if (used !== undefined) return used
    const place = Math.ceil(this.nextBlock / size) * size
    this.nextBlock = place + size
    while (this.at.length * CHUNK < this.nextBlock) {
      this.at.push(new Float64Array(CHUNK))
      this.value.push(new Float64Array(CHUNK))
      this.seq.push(new Float64Array(CHUNK))
      this.quality.push(new Uint8Array(CHUNK))
    }
    return place
  }
}
