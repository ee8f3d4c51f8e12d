import bdew from '../data/bdew-2025.json' with { type: 'json' }
import type { Zone } from '../replay/zone.ts'
import { ORIGIN_DAY, SECONDS_A_DAY, localDay } from './calendar.ts'
import { dayTemperature, irradiance, usualTemperature } from './weather.ts'

/**
 * Shapes: how the energy of a kind of customer is spread over quarter-hours, the same for all
 * meters of the kind. Days are UTC days since 1970-01-01, weeks begin with a Monday, energy is in
 * Wh for one unit of the kind: 1,000 kWh a year of a load profile, 1 kWp of solar panels.
 */
export type ShapeName = 'H25' | 'G25' | 'P25' | 'export'

export const QUARTERS_A_DAY = 96
const SECONDS_A_QUARTER = 900
const MICROS = 1_000_000

/** Days kept of each shape: a fleet moves on through time, with a look back now and then. */
const DAYS_KEPT = 32

export class Shape {
  readonly #name: ShapeName
  readonly #seed: number
  readonly #zone: Zone
  readonly #days = new Map<number, { quarters: Float64Array; sum: number }>()
  /** Wh from the origin to the beginning of each week. */
  readonly #before: number[] = [0]

  constructor(name: ShapeName, seed: number, zone: Zone) {
    this.#name = name
    this.#seed = seed
    this.#zone = zone
  }

  /** Wh of each quarter-hour of a UTC day. Not to be changed. */
  quarters(day: number): Float64Array {
    return this.#day(day).quarters
  }

  /** Wh of a UTC day. */
  sum(day: number): number {
    return this.#day(day).sum
  }

  /** Wh from the origin to the beginning of a week, the origin's week being 0. */
  before(week: number): number {
    while (this.#before.length <= week) {
      const last = this.#before.length - 1
      let sum = this.#before[last]!
      for (let i = 0; i < 7; i += 1) sum += this.sum(ORIGIN_DAY + last * 7 + i)
      this.#before.push(sum)
    }
    return this.#before[week]!
  }

  #day(day: number): { quarters: Float64Array; sum: number } {
    const known = this.#days.get(day)
    if (known !== undefined) return known
    const quarters = this.#name === 'export' ? this.#exported(day) : this.#profile(day, this.#name)
    let sum = 0
    for (const wh of quarters) sum += wh
    const made = { quarters, sum }
    this.#days.set(day, made)
    if (this.#days.size > DAYS_KEPT) this.#days.delete(this.#days.keys().next().value!)
    return made
  }

  #profile(day: number, name: 'H25' | 'G25' | 'P25'): Float64Array {
    const table = bdew.profiles[name]
    const isDynamic = bdew.dynamic.includes(name)
    const quarters = new Float64Array(QUARTERS_A_DAY)
    let shownDay = NaN
    let row: readonly number[] = []
    let factor = 1
    for (let q = 0; q < QUARTERS_A_DAY; q += 1) {
      const at = day * SECONDS_A_DAY + q * SECONDS_A_QUARTER
      const local = at + this.#zone.offsetAt(at * MICROS) / MICROS
      const ownDay = Math.floor(local / SECONDS_A_DAY)
      if (ownDay !== shownDay) {
        shownDay = ownDay
        const { month, type, dayOfYear } = localDay(ownDay)
        row = table[month * 3 + type]!
        factor = isDynamic ? dynamisation(dayOfYear) * this.#weatherFactor(ownDay) : 1
      }
      const ofDay = local - ownDay * SECONDS_A_DAY
      quarters[q] = row[Math.floor(ofDay / SECONDS_A_QUARTER)]! * factor
    }
    return quarters
  }

  /** A day colder than usual takes more, where it is heated at all: 0.6 % a degree below 15. */
  #weatherFactor(day: number): number {
    const cold = (celsius: number) => Math.max(0, 15 - celsius)
    const more = cold(dayTemperature(this.#seed, day)) - cold(usualTemperature(day))
    return 1 + 0.006 * more
  }

  /** What 1 kWp of panels gives to the grid when the household has taken what it needs. */
  #exported(day: number): Float64Array {
    const quarters = new Float64Array(QUARTERS_A_DAY)
    for (let q = 0; q < QUARTERS_A_DAY; q += 1) {
      const middle = day * SECONDS_A_DAY + (q + 0.5) * SECONDS_A_QUARTER
      // 85 % of what 1 kW at 1,000 W/m2 promises, for a quarter of an hour; 60 W a kWp stay at
      // home.
      const made = 0.85 * irradiance(this.#seed, middle) * 0.25
      quarters[q] = Math.max(0, made - 15)
    }
    return quarters
  }
}

/** BDEW: households take more in winter than the mean over the months of the table tells. */
export function dynamisation(dayOfYear: number): number {
  return bdew.dynamisation.reduce((sum, coefficient) => sum * dayOfYear + coefficient, 0)
}
