import { Temporal } from 'temporal-polyfill'
import { type Micros, hours } from '../../kernel/time.ts'
import { replayErrors } from './errors.ts'

/**
 * A stretch of time in which a zone keeps one offset. Bounds `[start, end)`, UTC; local = UTC +
 * offset.
 */
interface Stretch {
  readonly start: Micros
  readonly end: Micros
  readonly offset: Micros
}

/** No zone is further than this from UTC, and no clock was ever moved by more. */
const REACH = hours(26)

/**
 * Local clock and UTC of one zone. The zone's stretches come from Temporal, once each: a conversion
 * away from a clock change is one addition.
 */
export class Zone {
  readonly name: string
  readonly #stretches: Stretch[] = []
  #last: Stretch

  /** @throws replay.unknownZone */
  constructor(name: string) {
    this.name = name
    try {
      this.#last = this.#ask(0)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      throw replayErrors.unknownZone({ zone: name }, error)
    }
  }

  /** What is to be added to this moment to get the local clock. */
  offsetAt(utc: Micros): Micros {
    return this.#at(utc).offset
  }

  /**
   * The moment at which the local clock shows this; of two, the first; NaN where it never does.
   *
   * @param local Microseconds from 1970-01-01T00:00 as the local clock counts them.
   */
  toUtc(local: Micros): Micros {
    const { start, end, offset } = this.#last
    const utc = local - offset
    if (utc >= start + REACH && utc < end - REACH) return utc
    const found = this.#moments(local)[0]
    if (found === undefined) return NaN
    this.#last = this.#at(found)
    return found
  }

  /** Whether the local clock shows this twice. */
  isRepeated(local: Micros): boolean {
    const { start, end, offset } = this.#last
    const utc = local - offset
    if (utc >= start + REACH && utc < end - REACH) return false
    return this.#moments(local).length > 1
  }

  /** Every moment at which the local clock shows this, ascending. */
  #moments(local: Micros): Micros[] {
    const moments: Micros[] = []
    let stretch = this.#at(local - REACH)
    for (;;) {
      const utc = local - stretch.offset
      if (utc >= stretch.start && utc < stretch.end) moments.push(utc)
      if (stretch.end > local + REACH) return moments
      stretch = this.#at(stretch.end)
    }
  }

  #at(utc: Micros): Stretch {
    const last = this.#last
    if (utc >= last.start && utc < last.end) return last
    for (const stretch of this.#stretches) {
      if (utc >= stretch.start && utc < stretch.end) return (this.#last = stretch)
    }
    return (this.#last = this.#ask(utc))
  }

  #ask(utc: Micros): Stretch {
    const millis = Math.floor(utc / 1_000)
    const at = zoned(millis, this.name)
    // 'previous' leaves out a change at this very moment, which begins the stretch that is asked
    // for.
    const start = zoned(millis + 1, this.name).getTimeZoneTransition('previous')
    const end = at.getTimeZoneTransition('next')
    const stretch = {
      start: start === null ? -Infinity : start.epochMilliseconds * 1_000,
      end: end === null ? Infinity : end.epochMilliseconds * 1_000,
      offset: at.offsetNanoseconds / 1_000,
    }
    this.#stretches.push(stretch)
    return stretch
  }
}

function zoned(millis: number, zone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(millis).toZonedDateTimeISO(zone)
}
