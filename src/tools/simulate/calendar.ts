/** The calendar of the load profiles: their day types are German, holidays of all its states. */

export const SECONDS_A_DAY = 86_400

/** Monday, 2020-01-06, in days since 1970: registers count from here. */
export const ORIGIN_DAY = 18_267

export const SATURDAY = 0
export const SUNDAY_OR_HOLIDAY = 1
export const WEEKDAY = 2
export type DayType = typeof SATURDAY | typeof SUNDAY_OR_HOLIDAY | typeof WEEKDAY

export interface LocalDay {
  /** 0 to 11. */
  readonly month: number
  /** 1 to 366. */
  readonly dayOfYear: number
  readonly type: DayType
}

const MILLIS_A_DAY = 86_400_000

/** @param day Days since 1970-01-01 of the local calendar. */
export function localDay(day: number): LocalDay {
  const date = new Date(day * MILLIS_A_DAY)
  const year = date.getUTCFullYear()
  const weekday = date.getUTCDay()
  const isOff = weekday === 0 || holidaysOf(year).has(day)
  return {
    month: date.getUTCMonth(),
    dayOfYear: day - Date.UTC(year, 0, 1) / MILLIS_A_DAY + 1,
    type: isOff ? SUNDAY_OR_HOLIDAY : weekday === 6 ? SATURDAY : WEEKDAY,
  }
}

const holidays = new Map<number, ReadonlySet<number>>()

function holidaysOf(year: number): ReadonlySet<number> {
  let found = holidays.get(year)
  if (found === undefined) {
    const easter = easterSunday(year)
    const fixed = [
      [0, 1],
      [4, 1],
      [9, 3],
      [11, 25],
      [11, 26],
    ] as const
    found = new Set([
      ...fixed.map(([month, day]) => Date.UTC(year, month, day) / MILLIS_A_DAY),
      // Good Friday, Easter Monday, Ascension, Whit Monday.
      ...[-2, 1, 39, 50].map((days) => easter + days),
    ])
    holidays.set(year, found)
  }
  return found
}

/** Days since 1970-01-01; the Gregorian computus as Butcher wrote it down in 1876. */
function easterSunday(year: number): number {
  const a = year % 19
  const b = Math.floor(year / 100)
  const c = year % 100
  const g = Math.floor((8 * b + 13) / 25)
  const h = (19 * a + b - Math.floor(b / 4) - g + 15) % 30
  const l = (32 + 2 * (b % 4) + 2 * Math.floor(c / 4) - h - (c % 4)) % 7
  const m = Math.floor((a + 11 * h + 19 * l) / 433)
  const month = Math.floor((h + l - 7 * m + 90) / 25)
  const day = (h + l - 7 * m + 33 * month + 19) % 32
  return Date.UTC(year, month - 1, day) / MILLIS_A_DAY
}
