import { PURPOSE, unit } from './hash.ts'
import { ORIGIN_DAY, SECONDS_A_DAY } from './calendar.ts'

/** No charge lasts longer, and none begins later than this after 18:00 local. */
const MINUTES_MAX = 180
const START_SPREAD_MINUTES = 120

/**
 * A car at a wall box: on fixed days of the week, some time after 18:00, for as long each time. So
 * the energy taken up to any moment is a count of days and no sum over the past.
 */
export class Charger {
  readonly #seed: number
  readonly #meter: number
  readonly #watts: number
  readonly #seconds: number
  /** Whether the car is charged on a day of the week, Monday first. */
  readonly #days: readonly boolean[]
  /**
   * 18:00 local in seconds of the UTC day, by the zone's offset at the origin: cars know no summer
   * time.
   */
  readonly #evening: number

  constructor(seed: number, meter: number, zoneOffsetSeconds: number) {
    const draw = (purpose: number, b: number) => unit(seed, purpose, meter, b)
    this.#seed = seed
    this.#meter = meter
    this.#watts = draw(PURPOSE.ev, 1) < 0.5 ? 3_700 : 11_000
    this.#seconds = (60 + Math.floor(draw(PURPOSE.ev, 2) * (MINUTES_MAX - 60))) * 60
    this.#days = Array.from({ length: 7 }, (_, i) => draw(PURPOSE.evDay, i) < 0.4)
    this.#evening = 18 * 3_600 - zoneOffsetSeconds
  }

  powerW(at: number): number {
    const day = Math.floor(at / SECONDS_A_DAY)
    const isOn = this.#charged(day, at) + this.#charged(day - 1, at)
    const isDone = this.#charged(day, at + 1) + this.#charged(day - 1, at + 1)
    return isDone > isOn ? this.#watts : 0
  }

  /** Wh from the origin up to a moment. */
  energyWh(at: number): number {
    const day = Math.floor(at / SECONDS_A_DAY)
    const seconds =
      this.#daysBefore(day - 1) * this.#seconds +
      this.#charged(day - 1, at) +
      this.#charged(day, at)
    return (seconds * this.#watts) / 3_600
  }

  /** Seconds of the charge that begins on a day that are over at a moment. */
  #charged(day: number, at: number): number {
    if (day < ORIGIN_DAY || !this.#days[(day - ORIGIN_DAY) % 7]!) return 0
    const spread = unit(this.#seed, PURPOSE.evStart, this.#meter, day) * START_SPREAD_MINUTES
    const start = day * SECONDS_A_DAY + this.#evening + Math.floor(spread) * 60
    return Math.min(this.#seconds, Math.max(0, at - start))
  }

  /** Days with a charge from the origin up to a day, without it. */
  #daysBefore(day: number): number {
    const days = Math.max(0, day - ORIGIN_DAY)
    const aWeek = this.#days.filter(Boolean).length
    let count = Math.floor(days / 7) * aWeek
    for (let i = 0; i < days % 7; i += 1) if (this.#days[i]!) count += 1
    return count
  }
}
