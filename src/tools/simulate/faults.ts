import { PURPOSE, hash32, unit } from './hash.ts'
import { SECONDS_A_DAY } from './calendar.ts'

/**
 * Faults on demand. Each is decided by a number of its own for a meter and a time, so that the same
 * seed makes the same faults, and one fault's rate moves no other.
 */
export const FAULTS = {
  spikes: {
    rate: 0.005,
    per: 'meter and hour',
    what: 'power 6 to 15 times as high for 15 to 30 min',
  },
  stuck: { rate: 0.01, per: 'meter and day', what: 'all values stand still for 2 to 8 h' },
  silent: { rate: 0.01, per: 'meter and day', what: 'nothing is sent for 1 to 12 h, nor later' },
  clock: {
    rate: 0.01,
    per: 'meter and day',
    what: 'the clock is 2 to 20 min off for 10 to 60 min',
  },
  'wild-clock': {
    rate: 0.002,
    per: 'meter and day',
    what: 'the clock shows yesterday, 1970 or 2100 for 10 to 60 min',
  },
  backlog: {
    rate: 0.02,
    per: 'meter and day',
    what: 'no connection for 10 to 40 min, then all of it at once, newest first',
  },
  duplicates: { rate: 0.05, per: 'reading', what: 'sent again up to 5 min later' },
  corrections: {
    rate: 0.01,
    per: 'reading',
    what:
      'sent again with seq 1 and another power 1 to 20 min later; a third of them are followed ' +
      'by the first version once more, which must lose',
  },
  disorder: { rate: 0.1, per: 'reading', what: 'sent 5 to 115 s late' },
  late: { rate: 0.005, per: 'reading', what: 'sent 2 to 6 h late' },
  poison: { rate: 0.01, per: 'reading', what: 'a payload beside it that is no reading' },
} as const

export type FaultName = keyof typeof FAULTS
export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[]

/**
 * Probability of each fault, 0 to 1, for what `per` says; a fault that is not named does not
 * happen.
 */
export type FaultRates = Readonly<Partial<Record<FaultName, number>>>

/** A stretch of time `[start, end)` in which a fault holds, seconds since 1970. */
export interface Stretch {
  readonly start: number
  readonly end: number
  /** A number of the event's own, for what else is to be chosen. */
  readonly choice: number
}

interface EventForm {
  readonly periodSeconds: number
  readonly minutesMin: number
  readonly minutesMax: number
}

const day = (minutesMin: number, minutesMax: number): EventForm => ({
  periodSeconds: SECONDS_A_DAY,
  minutesMin,
  minutesMax,
})

const EVENTS = {
  spikes: { periodSeconds: 3_600, minutesMin: 15, minutesMax: 30 },
  stuck: day(120, 480),
  silent: day(60, 720),
  clock: day(10, 60),
  'wild-clock': day(10, 60),
  backlog: day(10, 40),
} as const satisfies Partial<Record<FaultName, EventForm>>

export type EventFault = keyof typeof EVENTS
export type ReadingFault = Exclude<FaultName, EventFault>

export const EVENT_FAULTS = Object.keys(EVENTS) as EventFault[]
export const READING_FAULTS: readonly ReadingFault[] = [
  'duplicates',
  'corrections',
  'disorder',
  'late',
  'poison',
]

/** Seconds by which a reading may come later than its time, by the rates; a backlog excepted. */
export function delaySecondsMax(rates: FaultRates): number {
  const first = rates.late ? 6 * 3_600 : rates.disorder ? 115 : 0
  return first + Math.max(rates.corrections ? 1_800 : 0, rates.duplicates ? 300 : 0) + 1
}

export class FaultPlan {
  readonly #seed: number
  readonly #rates: FaultRates

  constructor(seed: number, rates: FaultRates) {
    this.#seed = seed
    this.#rates = rates
  }

  /**
   * The event of this fault that holds at a moment. It never reaches beyond its day, or its hour.
   */
  event(fault: EventFault, meter: number, at: number): Stretch | undefined {
    const rate = this.#rates[fault]
    if (!rate) return undefined
    const { periodSeconds, minutesMin, minutesMax } = EVENTS[fault]
    const purpose = purposeOf(fault)
    const period = Math.floor(at / periodSeconds)
    if (unit(this.#seed, purpose, meter, period) >= rate) return undefined
    const lengthDraw = unit(this.#seed, purpose + 1, meter, period)
    const length = 60 * Math.floor(minutesMin + lengthDraw * (minutesMax - minutesMin))
    const startDraw = unit(this.#seed, purpose + 2, meter, period)
    const start =
      period * periodSeconds + 60 * Math.floor((startDraw * (periodSeconds - length)) / 60)
    if (at < start || at >= start + length) return undefined
    return { start, end: start + length, choice: hash32(this.#seed, purpose + 3, meter, period) }
  }

  /** A number of the fault's own in [0, 1) where the reading has it; NaN where not. */
  draw(fault: ReadingFault, meter: number, at: number): number {
    const rate = this.#rates[fault]
    if (!rate) return NaN
    const purpose = purposeOf(fault)
    if (unit(this.#seed, purpose, meter, at) >= rate) return NaN
    return unit(this.#seed, purpose + 1, meter, at)
  }

  /** A second number beside `draw`. */
  another(fault: ReadingFault, meter: number, at: number): number {
    return unit(this.#seed, purposeOf(fault) + 2, meter, at)
  }
}

function purposeOf(fault: FaultName): number {
  return PURPOSE.faults + 8 * FAULT_NAMES.indexOf(fault)
}

/** Seconds that a wrong clock is off; less than an hour, so that windows are restated by it. */
export function clockOffset(choice: number): number {
  const minutes = 2 + ((choice >>> 1) % 19)
  return (choice & 1) === 0 ? minutes * 60 : -minutes * 60
}

/** What a clock that lost its battery shows for a moment, in seconds since 1970. */
export function wildClock(choice: number, at: number): number {
  const kind = choice % 3
  if (kind === 0) return at - SECONDS_A_DAY
  // 1970 and 2100: the time of the year stays, so that no two readings of a year get one time.
  return kind === 1 ? at % (365 * SECONDS_A_DAY) : 4_102_444_800 + (at % (365 * SECONDS_A_DAY))
}

/** Payloads that are no reading; every one becomes a dead letter. */
export function poison(draw: number, timeText: string): string {
  const kinds = [
    `{"at":"${timeText}","power_w":51`,
    `{"at":"${timeText}","power_w":"much"}`,
    `{"at":"${timeText}","power_w":NaN}`,
    `{"at":"${timeText.slice(0, -1)}","power_w":512.5}`,
    '{"power_w":512.5}',
    '{"at":"2026-02-30T00:00:00Z","power_w":512.5}',
    `{"at":"${timeText}","power_w":[[[[1]]]]}`,
    'not a reading',
    '',
  ]
  return kinds[Math.floor(draw * kinds.length)]!
}
