import { hours, MICROS_PER_MILLI } from '../kernel/time.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { SeriesTable } from './series.ts'
import type { Plain, StatePart } from './state/part.ts'

const HOUR_MILLIS = hours(1) / MICROS_PER_MILLI

/**
 * Forgets series of which nothing was heard for the retention time, by append time in whole hours.
 *
 * A series is over from the moment in which its time has come: what it says after that finds it
 * cold. Its slot is found by a sweep that takes a few with each record, and that nobody can tell
 * from its outputs. Meters stay, for their newest time.
 */
export class Eviction implements StatePart {
  readonly arrays = {}
  readonly bytes = 0
  /** Of append time; 0 before the first record. */
  private hour = 0
  private nextHourMillis = -Infinity
  /** The slot that the sweep has come to. */
  private swept = 0
  private readonly table: SeriesTable
  private readonly retentionHours: number
  /** What else is remembered of a slot is to be dropped. */
  private readonly onForget: () => void

  constructor(table: SeriesTable, retentionHours: number, onForget: () => void) {
    this.table = table
    this.retentionHours = retentionHours
    this.onForget = onForget
  }

  /** A record comes. `appendedMillis` is the running maximum of append time. */
  advance(appendedMillis: number): void {
    if (appendedMillis >= this.nextHourMillis) {
      this.hour = Math.floor(appendedMillis / HOUR_MILLIS)
      this.nextHourMillis = (this.hour + 1) * HOUR_MILLIS
      this.swept = 0
    }
    if (this.swept < this.table.slotCount) this.sweep()
  }

  private sweep(): void {
    const { heard } = this.table.series.columns
    const end = Math.min(this.swept + LIMITS.engineSweptSlots, this.table.slotCount)
    for (; this.swept < end; this.swept++) {
      const last = heard.get(this.swept)
      if (last === 0 || this.hour - last < this.retentionHours) continue
      this.table.release(this.swept)
      this.onForget()
    }
  }

  /** A measurement of a series comes, and is not yet taken in. */
  hear(slot: number): void {
    const { heard } = this.table.series.columns
    const last = heard.get(slot)
    if (last === this.hour) return
    if (last !== 0 && this.hour - last >= this.retentionHours) {
      this.table.renew(slot)
      this.onForget()
    }
    heard.set(slot, this.hour)
  }

  save(): Plain {
    const { hour, nextHourMillis, swept } = this
    return { hour, nextHourMillis, swept }
  }

  load(plain: Plain): void {
    Object.assign(this, plain)
  }
}
