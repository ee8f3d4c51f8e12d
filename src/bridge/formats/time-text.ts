import { LIMITS } from '../../kernel/limits.ts'
import { MICROS_PER_MILLI, MICROS_PER_SECOND, type Micros } from '../../kernel/time.ts'
import { payloadErrors, shown } from './errors.ts'

/**
 * Times as devices write them.
 *
 * 2026-11-20T00:00:00[.123456](Z | +01:00 | +0100 | +01)      also `t`, `z`, a blank for T, a comma
 *
 * Seconds may be left out; digits below the microsecond are cut off. The calendar is checked.
 * 24:00:00 is the midnight that ends the day. A leap second, 23:59:60 UTC at a month's end, is read
 * as the second after it, as POSIX clocks show it.
 */

const MICROS_PER_MINUTE = 60 * MICROS_PER_SECOND
const MICROS_PER_DAY = 86_400 * MICROS_PER_SECOND
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/**
 * Microseconds of a text without a zone: what its clock shows, counted as if it stood in Greenwich.
 */
export type CivilMicros = number

/** Says what moment a clock without a zone means. */
export type LocalTime = (civil: CivilMicros, text: string) => Micros

/**
 * @param local Where the text may leave out its zone.
 * @throws payload.badTime, payload.noZone, and what `local` throws.
 */
export function parseTime(text: string, local?: LocalTime): Micros {
  const day = dayOf(text)
  const hour = twoDigits(text, 11)
  const minute = twoDigits(text, 14)
  const hasSeconds = text.charCodeAt(16) === COLON
  const second = hasSeconds ? twoDigits(text, 17) : 0
  if (text.charCodeAt(13) !== COLON || hour < 0 || minute < 0 || second < 0) throw malformed(text)
  let at = hasSeconds ? 19 : 16
  let micros = 0
  const mark = text.charCodeAt(at)
  if (hasSeconds && (mark === DOT || mark === COMMA)) {
    const end = endOfDigits(text, at + 1)
    if (end === at + 1) throw malformed(text)
    micros = microsOfFraction(text, at + 1, end)
    at = end
  }
  checkClock(text, hour, minute, second, micros)
  const civil =
    day * MICROS_PER_DAY + ((hour * 60 + minute) * 60 + second) * MICROS_PER_SECOND + micros
  const moment = at === text.length ? inLocalTime(text, civil, local) : civil - offsetOf(text, at)
  if (second === 60) checkLeap(text, moment)
  return moment
}

/**
 * A number: seconds, milliseconds or microseconds since 1970, told apart by its size, since all of
 * them have to lie between 1973 and 5138.
 *
 * @throws payload.badTime, payload.tooEarly.
 */
export function timeOfNumber(n: number): Micros {
  if (n < LIMITS.earliestAtMicros / MICROS_PER_SECOND) {
    throw payloadErrors.tooEarly({ value: shown(n) })
  }
  if (n < 1e11) return Math.round(n * MICROS_PER_SECOND)
  if (n < 1e14) return Math.round(n * MICROS_PER_MILLI)
  if (n < 1e17) return Math.round(n)
  const why = 'it is too large for microseconds since 1970'
  throw payloadErrors.badTime({ value: shown(n), why })
}

const COLON = 0x3a
const DOT = 0x2e
const COMMA = 0x2c
const HYPHEN = 0x2d

function malformed(text: string) {
  const why = 'it has not the form of ISO 8601 with date and time of day'
  return payloadErrors.badTime({ value: shown(text), why })
}

function impossible(text: string, why: string) {
  return payloadErrors.badTime({ value: shown(text), why })
}

/** The two digits at `at`, or -1 where there are none. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 0x30
  const ones = text.charCodeAt(at + 1) - 0x30
  // Past the end of the text both are NaN, and no comparison holds.
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? 10 * tens + ones : -1
}

/** Days since 1970-01-01 of the date that the text begins with. */
function dayOf(text: string): number {
  const century = twoDigits(text, 0)
  const yearOfCentury = twoDigits(text, 2)
  const month = twoDigits(text, 5)
  const day = twoDigits(text, 8)
  const hyphens = text.charCodeAt(4) === HYPHEN && text.charCodeAt(7) === HYPHEN
  const between = text[10]
  const isSeparated = between === 'T' || between === 't' || between === ' '
  if (!hyphens || !isSeparated || century < 0 || yearOfCentury < 0 || month < 0 || day < 0) {
    throw malformed(text)
  }
  const year = century * 100 + yearOfCentury
  if (month < 1 || month > 12) throw impossible(text, `there is no month ${month}`)
  const isLeapYear = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const days = month === 2 && isLeapYear ? 29 : DAYS_IN_MONTH[month - 1]!
  if (day < 1 || day > days) throw impossible(text, `its month has ${days} days`)
  // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": years begin in March.
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

function endOfDigits(text: string, from: number): number {
  let at = from
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code < 0x30 || code > 0x39) break
  }
  return at
}

function microsOfFraction(text: string, start: number, end: number): number {
  let micros = 0
  for (let i = 0; i < 6; i += 1) {
    micros = micros * 10 + (start + i < end ? text.charCodeAt(start + i) - 0x30 : 0)
  }
  return micros
}

function checkClock(text: string, hour: number, minute: number, second: number, micros: number) {
  if (minute > 59) throw impossible(text, `there is no minute ${minute}`)
  if (second > 60) throw impossible(text, `there is no second ${second}`)
  if (hour < 24) return
  if (hour > 24) throw impossible(text, `there is no hour ${hour}`)
  if (minute > 0 || second > 0 || micros > 0) throw impossible(text, 'a day ends at 24:00:00')
}

/** The offset from UTC that stands at `at`, to the text's end. */
function offsetOf(text: string, at: number): Micros {
  const sign = text[at]
  if (sign === 'Z' || sign === 'z') {
    if (text.length !== at + 1) throw malformed(text)
    return 0
  }
  if (sign !== '+' && sign !== '-') throw malformed(text)
  const hours = twoDigits(text, at + 1)
  const length = text.length - at
  const isShort = length === 3
  const minutesAt = text.charCodeAt(at + 3) === COLON ? at + 4 : at + 3
  const minutes = isShort ? 0 : twoDigits(text, minutesAt)
  const isWhole = isShort || text.length === minutesAt + 2
  if (hours < 0 || minutes < 0 || !isWhole) throw malformed(text)
  if (hours > 23 || minutes > 59) throw impossible(text, 'no place has such an offset')
  return (sign === '-' ? -1 : 1) * (hours * 60 + minutes) * MICROS_PER_MINUTE
}

function inLocalTime(text: string, civil: CivilMicros, local: LocalTime | undefined): Micros {
  if (local === undefined) throw payloadErrors.noZone({ value: shown(text) })
  return local(civil, text)
}

/** Leap seconds come at the end of a month in UTC, so that what follows is the first of a month. */
function checkLeap(text: string, moment: Micros): void {
  const next = new Date(Math.floor(moment / MICROS_PER_MILLI))
  const isMonthEnd = next.getUTCDate() === 1 && moment % MICROS_PER_DAY < MICROS_PER_SECOND
  if (!isMonthEnd) throw impossible(text, 'no leap second is there')
}
