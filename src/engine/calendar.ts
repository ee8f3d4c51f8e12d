import { Temporal } from 'temporal-polyfill'
import { type Micros, MICROS_PER_MILLI } from '../kernel/time.ts'
import type { Grid } from './grid.ts'
import type { CalendarUnit } from './spans.ts'
import type { KeyedPart } from './state/part.ts'

/** One day or month of a zone: `[start, end)`, UTC. */
interface Period {
  readonly start: Micros
  readonly end: Micros
}

/** Yesterday, today, and what a replay and late samples move to and fro between. */
const REMEMBERED = 8

/** The days or the months of one zone. It remembers the last few that it was asked for. */
export class LocalCalendar {
  private readonly zone: string
  private readonly unit: CalendarUnit
  private readonly periods: Period[] = []
  private last: Period = { start: NaN, end: NaN }
  private oldest = 0

  /** @param zone A name of the time zone database. */
  constructor(zone: string, unit: CalendarUnit) {
    this.zone = zone
    this.unit = unit
  }

  /** The period that holds `time`. */
  at(time: Micros): Period {
    const { last } = this
    if (time >= last.start && time < last.end) return last
    for (const period of this.periods) {
      if (time >= period.start && time < period.end) return (this.last = period)
    }
    const found = periodOf(time, this.zone, this.unit)
    this.periods[this.oldest] = found
    this.oldest = (this.oldest + 1) % REMEMBERED
    return (this.last = found)
  }
}

/** A day begins at its first moment, which is not midnight where clocks skip that. */
function periodOf(time: Micros, zone: string, unit: CalendarUnit): Period {
  const millis = Math.floor(time / MICROS_PER_MILLI)
  const day = Temporal.Instant.fromEpochMilliseconds(millis).toZonedDateTimeISO(zone).toPlainDate()
  const step = unit === 'day' ? { days: 1 } : { months: 1 }
  const startOf = (date: Temporal.PlainDate) =>
    date.toZonedDateTime(zone).epochMilliseconds * MICROS_PER_MILLI
  let next = (unit === 'day' ? day : day.with({ day: 1 })).add(step)
  let start = startOf(next.subtract(step))
  // Clocks that were put back across midnight show yesterday again: a day that has begun goes on.
  for (let end = startOf(next); ; end = startOf(next)) {
    if (time < end) return { start, end }
    start = end
    next = next.add(step)
  }
}

/** Calendar windows, each series by its own meter's zone. */
export class CalendarGrid implements Grid, KeyedPart {
  // It only remembers what the registry says, but has to hear of slots that change hands.
  readonly bytes = 0
  readonly arrays = {}
  private readonly unit: CalendarUnit
  private readonly zoneOf: (slot: number) => string
  private readonly byZone = new Map<string, LocalCalendar>()
  /** By slot; what is not looked up yet is missing. */
  private readonly bySlot: (LocalCalendar | undefined)[] = []

  constructor(unit: CalendarUnit, zoneOf: (slot: number) => string) {
    this.unit = unit
    this.zoneOf = zoneOf
  }

  grow(): void {
    // A slot's zone is looked up when it is first asked for.
  }

  forget(slot: number): void {
    this.bySlot[slot] = undefined
  }

  firstHolding(slot: number, time: Micros): Micros {
    return isFinite(time) ? this.calendarOf(slot).at(time).start : time
  }

  endOf(slot: number, start: Micros): Micros {
    return isFinite(start) ? this.calendarOf(slot).at(start).end : start
  }

  following(slot: number, start: Micros): Micros {
    return this.endOf(slot, start)
  }

  private calendarOf(slot: number): LocalCalendar {
    return (this.bySlot[slot] ??= this.find(slot))
  }

  private find(slot: number): LocalCalendar {
    const zone = this.zoneOf(slot)
    let found = this.byZone.get(zone)
    if (found === undefined) {
      found = new LocalCalendar(zone, this.unit)
      this.byZone.set(zone, found)
    }
    return found
  }
}
