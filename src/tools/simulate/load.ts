import { PURPOSE, unit } from './hash.ts'
import { ORIGIN_DAY, SECONDS_A_DAY } from './calendar.ts'
import { QUARTERS_A_DAY, type Shape } from './shapes.ts'

/**
 * The load of one meter: its shape's energy of each week, spread by numbers of its own over the
 * days, of each day over the quarters, of each quarter over the minutes. What is spread stays the
 * same, so that the register at any time is known without adding up all that was before it. Times
 * are whole or broken seconds since 1970.
 */
export interface LoadOptions {
  readonly seed: number
  readonly meter: number
  readonly shape: Shape
  /** Units of the shape: thousands of kWh a year, or kWp. */
  readonly scale: number
  /** How much days, quarters and minutes vary, from 0 to 1. */
  readonly variation: number
  /** Kettle and washing machine make their marks. */
  readonly hasAppliances: boolean
  /** Tells loads of one meter apart. */
  readonly salt: number
}

const MINUTES_A_QUARTER = 15

export class Load {
  readonly #options: LoadOptions
  readonly #id: number
  // Sums up to each part of the newest week, day and quarter that was asked for.
  #week = -1
  readonly #days = new Float64Array(8)
  #day = -1
  readonly #quarters = new Float64Array(QUARTERS_A_DAY + 1)
  #quarter = -1
  readonly #minutes = new Float64Array(MINUTES_A_QUARTER + 1)

  constructor(options: LoadOptions) {
    this.#options = options
    this.#id = options.meter * 4 + options.salt
  }

  /** Watts at a moment: constant within a minute. */
  powerW(at: number): number {
    this.#goTo(at)
    const minute = Math.floor(at / 60) % MINUTES_A_QUARTER
    return (this.#minutes[minute + 1]! - this.#minutes[minute]!) * 60
  }

  /** Wh from the origin of all registers up to a moment: the integral of the power. */
  energyWh(at: number): number {
    this.#goTo(at)
    const day = Math.floor(at / SECONDS_A_DAY)
    const week = Math.floor((day - ORIGIN_DAY) / 7)
    const quarter = Math.floor(at / 900) % QUARTERS_A_DAY
    const minutes = at / 60
    const minute = Math.floor(minutes)
    const inQuarter = minute % MINUTES_A_QUARTER
    const before = this.#minutes[inQuarter]!
    return (
      this.#options.shape.before(week) * this.#options.scale +
      this.#days[(day - ORIGIN_DAY) % 7]! +
      this.#quarters[quarter]! +
      before +
      (this.#minutes[inQuarter + 1]! - before) * (minutes - minute)
    )
  }

  #goTo(at: number): void {
    const quarter = Math.floor(at / 900)
    if (quarter === this.#quarter) return
    const day = Math.floor(at / SECONDS_A_DAY)
    if (day !== this.#day) {
      const week = Math.floor((day - ORIGIN_DAY) / 7)
      if (week !== this.#week) this.#spreadWeek(week)
      this.#spreadDay(day)
    }
    this.#spreadQuarter(quarter)
  }

  #spreadWeek(week: number): void {
    const { shape, scale, seed, variation } = this.#options
    const first = ORIGIN_DAY + week * 7
    let sum = 0
    let whole = 0
    for (let i = 0; i < 7; i += 1) {
      const ofDay = shape.sum(first + i)
      whole += ofDay
      this.#days[i] = sum
      const factor = 1 + 0.5 * variation * centred(seed, PURPOSE.dayFactor, this.#id, first + i)
      sum += ofDay * factor
    }
    this.#days[7] = sum
    stretch(this.#days, whole * scale)
    this.#week = week
  }

  #spreadDay(day: number): void {
    const { shape, seed, variation, hasAppliances } = this.#options
    const weights = shape.quarters(day)
    const washing = hasAppliances ? this.#washingQuarter(day) : -1
    let sum = 0
    for (let q = 0; q < QUARTERS_A_DAY; q += 1) {
      this.#quarters[q] = sum
      let weight =
        1 + variation * centred(seed, PURPOSE.quarter, this.#id, day * QUARTERS_A_DAY + q)
      // A washing machine heats for half an hour, then turns for an hour.
      if (q >= washing && q < washing + 2) weight += 4
      else if (q >= washing && q < washing + 6) weight += 1
      sum += weights[q]! * weight
    }
    this.#quarters[QUARTERS_A_DAY] = sum
    const ofWeek = (day - ORIGIN_DAY) % 7
    stretch(this.#quarters, this.#days[ofWeek + 1]! - this.#days[ofWeek]!)
    this.#day = day
  }

  #spreadQuarter(quarter: number): void {
    const { seed, variation, hasAppliances } = this.#options
    const inDay = quarter % QUARTERS_A_DAY
    // Every sixth quarter has somebody who wants tea: three minutes of it.
    const draw = hasAppliances ? unit(seed, PURPOSE.kettle, this.#id, quarter) : 1
    const kettle = draw < 1 / 6 ? Math.floor(draw * 6 * (MINUTES_A_QUARTER - 2)) : -99
    let sum = 0
    for (let m = 0; m < MINUTES_A_QUARTER; m += 1) {
      this.#minutes[m] = sum
      const minute = quarter * MINUTES_A_QUARTER + m
      const weight = 1 + 0.6 * variation * centred(seed, PURPOSE.minute, this.#id, minute)
      sum += m >= kettle && m < kettle + 3 ? weight + 6 : weight
    }
    this.#minutes[MINUTES_A_QUARTER] = sum
    stretch(this.#minutes, this.#quarters[inDay + 1]! - this.#quarters[inDay]!)
    this.#quarter = quarter
  }

  /** -99 on days without washing. */
  #washingQuarter(day: number): number {
    const draw = unit(this.#options.seed, PURPOSE.washing, this.#id, day)
    return draw < 0.4 ? 28 + Math.floor((draw / 0.4) * 40) : -99
  }
}

/** Evenly in [-1, 1). */
function centred(seed: number, purpose: number, a: number, b: number): number {
  return 2 * unit(seed, purpose, a, b) - 1
}

/**
 * Multiplies sums so that the last one becomes `whole`; where there is nothing, nothing comes of
 * it.
 */
function stretch(sums: Float64Array, whole: number): void {
  const last = sums[sums.length - 1]!
  const factor = last > 0 ? whole / last : 0
  for (let i = 0; i < sums.length; i += 1) sums[i]! *= factor
  // Exactly, so that a part's end is the next part's beginning.
  if (last > 0) sums[sums.length - 1] = whole
}
