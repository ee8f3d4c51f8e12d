import type { Micros } from '../../kernel/time.ts'
import type { Zone } from './zone.ts'

const CLOCK = String.raw`(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?`
const OFFSET = String.raw`Z|z|[+-]\d\d(?::?\d\d)?`
const FORM = new RegExp(String.raw`^(\d{4}-\d\d-\d\d)(?:[T ]${CLOCK})? ?(${OFFSET})?$`)
const DAY = 86_400_000_000

/**
 * Reads the times of a file: `2026-11-20`, `2026-11-20 13:45`, `2026-11-20T13:45:10.5`, each with
 * or without a zone (`Z`, `+02:00`, `+0200`, `+02`). A time without one is the local clock's of
 * `zone`; one that this clock shows twice is the first. 24:00 is the next day's 0:00; a 60th second
 * is refused.
 */
export class TimeReader {
  /** Why the last `read` gave NaN. */
  refusal: 'bad_time' | 'no_such_local_time' = 'bad_time'
  /** Whether the last `read` met a local time that is shown twice. */
  isRepeated = false
  readonly #zone: Zone
  // Rows of a file share their day with the row before, mostly.
  #dayText = ''
  #day: Micros = NaN

  constructor(zone: Zone) {
    this.#zone = zone
  }

  /** UTC, cut to microseconds; NaN where this is no time, or none of the zone: see `refusal`. */
  read(text: string): Micros {
    this.isRepeated = false
    this.refusal = 'bad_time'
    const parts = FORM.exec(text)
    if (parts === null) return NaN
    const ofDay = timeOfDay(parts[2], parts[3], parts[4], parts[5])
    const local = this.#dayOf(parts[1]!) + ofDay
    if (Number.isNaN(local)) return NaN
    const offset = parts[6]
    if (offset !== undefined) return local - offsetOf(offset)
    const utc = this.#zone.toUtc(local)
    if (Number.isNaN(utc)) this.refusal = 'no_such_local_time'
    else this.isRepeated = this.#zone.isRepeated(local)
    return utc
  }

  #dayOf(text: string): Micros {
    if (text !== this.#dayText) {
      this.#dayText = text
      const millis = Date.parse(`${text}T00:00:00Z`)
      // Date.parse takes 2026-02-30 for the 2nd of March.
      const exists = !Number.isNaN(millis) && new Date(millis).toISOString().startsWith(text)
      this.#day = exists ? millis * 1_000 : NaN
    }
    return this.#day
  }
}

function timeOfDay(hourText = '0', minuteText = '0', secondText = '0', fractionText = '0'): Micros {
  const hour = Number(hourText)
  const minute = Number(minuteText)
  const second = Number(secondText)
  const fraction = Number(fractionText.padEnd(6, '0').slice(0, 6))
  if (minute > 59 || second > 59) return NaN
  const micros = ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction
  return micros <= DAY ? micros : NaN
}

function offsetOf(text: string): Micros {
  if (text === 'Z' || text === 'z') return 0
  const hour = Number(text.slice(1, 3))
  const minute = Number(text.slice(3).replace(':', '') || '0')
  if (hour > 23 || minute > 59) return NaN
  return (text.startsWith('-') ? -1 : 1) * (hour * 60 + minute) * 60_000_000
}
