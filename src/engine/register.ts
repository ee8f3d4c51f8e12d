import type { Micros } from '../kernel/time.ts'
import { hours } from '../kernel/time.ts'
import type { SampleStore } from './samples.ts'

/**
 * Energy across a longer gap is not spread over the windows between (docs/design.md, section 2).
 */
const SPREAD_MICROS_MAX = hours(25)
const BAD = 3

/** How a register's samples are read: all energies in Wh. */
export interface RegisterRules {
  readonly wattHours: number
  /** In the register's unit; undefined: it never rolls over. */
  readonly rolloverAt: number | undefined
  readonly gapMicrosMax: Micros
}

/** What is settled behind the frozen boundary. `at` is NaN while nothing is. */
export interface Settled {
  /** The last good sample before the boundary; its value in Wh. */
  at: Micros
  valueWh: number
  /** The boundary, and how much of the energy after `at` was given to windows before it. */
  boundary: Micros
  givenWh: number
}

/**
 * The course of a register: stretches between its good samples over which energy runs evenly,
 * ascending. One object serves all series of a task: it is made anew for each that closes a window.
 */
export class Course {
  count = 0
  from = new Float64Array(64)
  to = new Float64Array(64)
  energyWh = new Float64Array(64)
  estimated = new Uint8Array(64)
  whole = new Uint8Array(64)
  /** The last good sample before a time asked for by `settle`. */
  private goodAt = new Float64Array(64)
  private goodWh = new Float64Array(64)
  private good = 0

  /** Reads the samples of one series after what is settled. */
  build(store: SampleStore, list: number, settled: Settled, rules: RegisterRules): this {
    this.count = this.good = 0
    let previousAt = settled.at
    let previous = settled.valueWh
    let given = settled.givenWh
    const count = store.count(list)
    // Samples that are settled may be kept for others that look back at them.
    const first = isNaN(previousAt) ? 0 : store.lowerBound(list, previousAt + 1)
    for (let i = first; i < count; i++) {
      if (store.qualityOf(list, i) === BAD) continue
      const value = store.valueOf(list, i) * rules.wattHours
      if (value < previous && !isNaN(previousAt) && !confirmed(store, list, i, previous, rules)) {
        continue
      }
      const at = store.atOf(list, i)
      if (!isNaN(previousAt)) {
        const energy = difference(previous, value, rules) - given
        this.add(Math.max(previousAt, settled.boundary), at, energy, at - previousAt, rules)
        given = 0
      }
      this.addGood(at, value)
      previousAt = at
      previous = value
    }
    return this
  }

  private add(from: number, to: number, energy: number, gap: number, rules: RegisterRules): void {
    if (this.count === this.from.length) this.widen()
    const i = this.count++
    this.from[i] = from
    this.to[i] = to
    this.energyWh[i] = energy
    // What is left of a gap that ends where it begins cannot be spread either.
    this.whole[i] = gap > SPREAD_MICROS_MAX || from >= to ? 1 : 0
    const spread = gap > rules.gapMicrosMax && from < to
    this.estimated[i] = spread || gap > SPREAD_MICROS_MAX ? 1 : 0
  }

  private addGood(at: number, valueWh: number): void {
    if (this.good === this.goodAt.length) this.widen()
    this.goodAt[this.good] = at
    this.goodWh[this.good++] = valueWh
  }

  private widen(): void {
    const wide = <T extends Float64Array | Uint8Array>(old: T, made: T): T => {
      made.set(old)
      return made
    }
    const room = 2 * this.from.length
    this.from = wide(this.from, new Float64Array(room))
    this.to = wide(this.to, new Float64Array(room))
    this.energyWh = wide(this.energyWh, new Float64Array(room))
    this.goodAt = wide(this.goodAt, new Float64Array(room))
    this.goodWh = wide(this.goodWh, new Float64Array(room))
    this.estimated = wide(this.estimated, new Uint8Array(room))
    this.whole = wide(this.whole, new Uint8Array(room))
  }

  /**
   * Index of the first stretch that ends after `at`, or holds it as its end where it is not spread.
   */
  firstAfter(at: number): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      const ends = this.to[middle]!
      if (ends < at || (ends === at && this.whole[middle] === 0)) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Energy in [start, end). */
  energyIn(start: number, end: number): number {
    let energy = 0
    for (let i = this.firstAfter(start); i < this.count; i++) {
      if (this.whole[i] === 1) {
        if (this.to[i]! >= start && this.to[i]! < end) energy += this.energyWh[i]!
        continue
      }
      const from = this.from[i]!
      if (from >= end) break
      const to = this.to[i]!
      if (to <= start) continue
      const part = Math.min(to, end) - Math.max(from, start)
      energy += (this.energyWh[i]! * part) / (to - from)
    }
    return energy
  }

  /** Whether an estimated stretch reaches into [start, end). */
  estimatedIn(start: number, end: number): boolean {
    for (let i = this.firstAfter(start); i < this.count; i++) {
      if (this.from[i]! >= end) break
      if (this.estimated[i] === 0) continue
      if (this.whole[i] === 0 ? this.to[i]! > start : this.to[i]! < end) return true
    }
    return false
  }

  /** The first time at or after `start` that has a part of the course; or Infinity. */
  nextTime(start: number): number {
    for (let i = this.firstAfter(start); i < this.count; i++) {
      const begins = this.whole[i] === 1 ? this.to[i]! : Math.max(this.from[i]!, start)
      if (begins >= start) return begins
    }
    return Infinity
  }

  /** What is settled when the frozen boundary moves to `boundary`; changes `settled`. */
  settle(settled: Settled, boundary: number): void {
    let last = -1
    while (last + 1 < this.good && this.goodAt[last + 1]! < boundary) last++
    if (last >= 0) {
      settled.at = this.goodAt[last]!
      settled.valueWh = this.goodWh[last]!
      settled.givenWh = 0
    }
    if (isNaN(settled.at)) return
    for (let i = 0; i < this.count; i++) {
      if (this.from[i]! < settled.at || this.from[i]! >= boundary) continue
      if (this.whole[i] === 1) continue
      const part = Math.min(this.to[i]!, boundary) - this.from[i]!
      settled.givenWh += (this.energyWh[i]! * part) / (this.to[i]! - this.from[i]!)
    }
    settled.boundary = boundary
  }

  /**
   * Tells `visit` the spans in which this course and another differ, both ends included: whole
   * microseconds. Stretches at the beginning and the end that are the same are left out.
   */
  differences(other: Course, visit: (first: number, last: number) => void): void {
    let head = 0
    const shorter = Math.min(this.count, other.count)
    while (head < shorter && this.same(head, other, head)) head++
    let tail = 0
    while (
      tail < shorter - head &&
      this.same(this.count - 1 - tail, other, other.count - 1 - tail)
    ) {
      tail++
    }
    this.spans(head, tail, visit)
    other.spans(head, tail, visit)
  }

  private spans(head: number, tail: number, visit: (first: number, last: number) => void): void {
    for (let i = head; i < this.count - tail; i++) {
      if (this.whole[i] === 1) visit(this.to[i]!, this.to[i]!)
      else visit(this.from[i]!, this.to[i]! - 1)
    }
  }

  private same(i: number, other: Course, j: number): boolean {
    return (
      this.from[i] === other.from[j] &&
      this.to[i] === other.to[j] &&
      this.energyWh[i] === other.energyWh[j] &&
      this.estimated[i] === other.estimated[j] &&
      this.whole[i] === other.whole[j]
    )
  }
}

/** Whether the drop at `i` is a reset or a rollover: the next sample says so. */
function confirmed(
  store: SampleStore,
  list: number,
  i: number,
  previous: number,
  rules: RegisterRules,
): boolean {
  const value = store.valueOf(list, i) * rules.wattHours
  for (let next = i + 1; next < store.count(list); next++) {
    if (store.qualityOf(list, next) === BAD) continue
    const after = store.valueOf(list, next) * rules.wattHours
    return after >= value && after < previous
  }
  return false
}

function difference(from: number, to: number, rules: RegisterRules): number {
  if (to >= from) return to - from
  if (rules.rolloverAt !== undefined) {
    const top = rules.rolloverAt * rules.wattHours
    if (from > 0.9 * top && to < 0.1 * top) return to + top - from
  }
  return to
}
