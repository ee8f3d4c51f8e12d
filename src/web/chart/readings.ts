import type { ReadingItem } from '../../api/contract/items.ts'
import { type Micros, parseMicros } from './instant.ts'

/** One reading of a series, as a chart keeps it. */
export interface Reading {
  readonly at: Micros
  readonly value: number | null
  readonly quality: ReadingItem['quality']
  readonly seq: number | null
}

/** From the best: of two with one time and no other difference the better is the right one. */
const QUALITIES: readonly ReadingItem['quality'][] = ['MEASURED', 'ESTIMATED', 'SUSPECT', 'BAD']

/**
 * The readings of one series in the order of their time, each once, wherever they came from: pages
 * of REST, the live feed, or both. Of two of one time the higher seq wins (none is the lowest),
 * then the better quality, then the later to come.
 */
export class Readings {
  private rows: Reading[] = []

  get items(): readonly Reading[] {
    return this.rows
  }

  get newest(): Reading | undefined {
    return this.rows.at(-1)
  }

  /** Answers how many were new or better than what was there. */
  add(items: readonly ReadingItem[]): number {
    let changed = 0
    for (const { at, value, quality, seq } of items) {
      if (this.put({ at: parseMicros(at), value, quality, seq })) changed++
    }
    return changed
  }

  /** Those in `[from, to)`. */
  between(from: Micros, to: Micros): readonly Reading[] {
    return this.rows.slice(this.indexOf(from), this.indexOf(to))
  }

  /** Forgets what lies outside of `[from, to)`. */
  keep(from: Micros, to: Micros): void {
    this.rows = this.rows.slice(this.indexOf(from), this.indexOf(to))
  }

  private put(reading: Reading): boolean {
    const { rows } = this
    const last = rows.at(-1)
    if (last === undefined || last.at < reading.at) {
      rows.push(reading)
      return true
    }
    const index = this.indexOf(reading.at)
    const there = rows[index]
    if (there?.at !== reading.at) {
      rows.splice(index, 0, reading)
      return true
    }
    if (!wins(reading, there)) return false
    rows[index] = reading
    return reading.value !== there.value || reading.quality !== there.quality
  }

  /** Of the first reading at or after `at`. */
  private indexOf(at: Micros): number {
    const { rows } = this
    let low = 0
    let high = rows.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (rows[middle]!.at < at) low = middle + 1
      else high = middle
    }
    return low
  }
}

function wins(a: Reading, b: Reading): boolean {
  const [seqA, seqB] = [a.seq ?? -Infinity, b.seq ?? -Infinity]
  if (seqA !== seqB) return seqA > seqB
  return QUALITIES.indexOf(a.quality) <= QUALITIES.indexOf(b.quality)
}
