import { MICROS_PER_MILLI } from '../../kernel/time.ts'
import type { Micros } from '../../kernel/time.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { ColumnSet, f64, u8 } from '../columns.ts'
import type { TaskCounts } from '../counts.ts'
import type { SilenceEvent } from '../nodes.ts'
import type { SeriesTable } from '../series.ts'
import type { Plain, StatePart } from '../state/part.ts'
import type { Cause } from '../windows.ts'
import type { SilentClosing } from './silent-closing.ts'
import { Timers } from './timers.ts'

export interface SilenceOptions {
  readonly table: SeriesTable
  readonly closing: SilentClosing
  readonly cause: Cause
  readonly counts: TaskCounts
  readonly emit: (slot: number, event: SilenceEvent) => void
}

/**
 * Which meters are silent, by the time that bridges were alive: append time, but of each gap
 * between two records of bridges at most 30 s. A meter falls silent when that time has gone on by
 * its silent intervals since its last reading; its event time then goes on with it, and closes its
 * windows.
 *
 * A meter has one timer that holds. A reading moves none: a timer that comes too early is set anew.
 */
export class Silence implements StatePart {
  readonly meters = new ColumnSet({
    /** The bridges' time at the meter's last reading. */
    heard: f64(),
    /** When the timer that holds is due; 0: there is none. */
    armed: f64(),
    silent: u8(),
  })
  private readonly timers: Timers
  /** The bridges' time, and append time at their last record; 0 before the first. */
  private alive: Micros = 0
  private bridgeMillis = 0
  /** Meters that are silent now. */
  silentMeters = 0
  private readonly options: SilenceOptions
  private readonly event = {
    tenant: '',
    meterId: '',
    since: 0,
    at: 0,
    silentFor: 0,
    expected: 0,
    state: 'silent' as SilenceEvent['state'],
    revision: 0,
  }

  constructor(options: SilenceOptions) {
    this.options = options
    const { meterKeys } = options.table
    this.timers = new Timers((meter, other) => meterKeys.compare(meter, other) < 0)
  }

  get arrays() {
    const { due, meter } = this.timers.heap.columns
    return { ...this.meters.arrays, timerDue: due, timerMeter: meter }
  }

  save(): Plain {
    const { alive, bridgeMillis, silentMeters, timers } = this
    return { alive, bridgeMillis, silentMeters, timers: timers.size }
  }

  load(plain: Plain): void {
    const { timers, ...rest } = plain as Record<'timers' | 'alive', number>
    Object.assign(this, rest)
    this.timers.size = timers
    this.timers.heap.grow(timers)
    this.meters.grow(this.options.table.meterCount)
  }

  get bytes(): number {
    return this.meters.bytes + this.timers.heap.bytes
  }

  /**
   * A record of a bridge comes, and is not yet taken in: what was due before it comes first, by
   * (due, key). `appendedMillis` is the running maximum of append time.
   */
  advance(appendedMillis: number): void {
    const { alive, bridgeMillis: before } = this
    if (appendedMillis <= before) return
    this.bridgeMillis = appendedMillis
    if (before === 0) return
    const gap = Math.min((appendedMillis - before) * MICROS_PER_MILLI, LIMITS.silenceGapMicrosMax)
    this.alive = alive + gap
    // Where the gap is longer than what counts of it, what was due in it was due at its beginning.
    const appended = before * MICROS_PER_MILLI - alive
    while (this.timers.due <= this.alive) this.fire(appended)
  }

  private fire(appendedLessAlive: Micros): void {
    const { table, closing } = this.options
    const { heard, armed, silent } = this.meters.columns
    const { due } = this.timers
    const meter = this.timers.pop()
    if (armed.get(meter) !== due) return
    armed.set(meter, 0)
    const { newestAt, disorder } = table.meters.columns
    if (silent.get(meter) === 0) {
      const actual = heard.get(meter) + table.meters.columns.silentAfter.get(meter)
      if (actual > due) {
        this.arm(meter, actual)
        return
      }
      silent.set(meter, 1)
      this.silentMeters++
      this.options.counts.silent++
      this.tell(meter, 'silent', due, appendedLessAlive + due)
    }
    const watermark = table.watermarkOf(meter)
    const next = closing.close(meter, watermark, watermark + (due - heard.get(meter)))
    if (next === Infinity) return
    this.arm(meter, heard.get(meter) + (next - newestAt.get(meter)) + disorder.get(meter))
  }

  private arm(meter: number, due: Micros): void {
    this.meters.columns.armed.set(meter, due)
    this.timers.push(due, meter)
  }

  /**
   * The measurements of a reading of the meter were taken in, and its newest time has not moved
   * yet.
   */
  heard(meter: number): void {
    this.meters.grow(meter + 1)
    const { heard, armed, silent } = this.meters.columns
    const now = this.alive
    if (silent.get(meter) === 1) {
      // It takes the place of the row that said that the meter is silent.
      this.options.cause.restating = true
      this.tell(meter, 'back', now, this.bridgeMillis * MICROS_PER_MILLI)
      this.options.cause.restating = false
      silent.set(meter, 0)
      armed.set(meter, 0)
      this.silentMeters--
      this.options.counts.back++
    }
    heard.set(meter, now)
    const due = now + this.options.table.meters.columns.silentAfter.get(meter)
    const held = armed.get(meter)
    // Not while its interval is unknown: `due` is NaN then.
    if (held === 0 ? due > now : due < held) this.arm(meter, due)
  }

  isSilent(meter: number): boolean {
    this.meters.grow(meter + 1)
    return this.meters.columns.silent.get(meter) === 1
  }

  private tell(meter: number, state: SilenceEvent['state'], now: Micros, at: Micros): void {
    const { table, cause, emit } = this.options
    const { event } = this
    event.tenant = table.tenants[meter]!
    event.meterId = table.meterIds[meter]!
    event.at = at
    event.since = table.meters.columns.newestAt.get(meter)
    event.silentFor = now - this.meters.columns.heard.get(meter)
    event.expected = table.meters.columns.interval.get(meter)
    event.state = state
    event.revision = cause.revision
    const slot = table.meters.columns.first.get(meter)
    // Of a meter whose series are all forgotten there is nothing to tell.
    if (slot >= 0) emit(slot, event)
  }
}
