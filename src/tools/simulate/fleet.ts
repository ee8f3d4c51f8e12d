import type { Micros } from '../../kernel/time.ts'
import { Zone } from '../replay/zone.ts'
import {
  EVENT_FAULTS,
  type FaultName,
  FaultPlan,
  type FaultRates,
  READING_FAULTS,
  clockOffset,
  delaySecondsMax,
  poison,
  wildClock,
} from './faults.ts'
import { PURPOSE, unit } from './hash.ts'
import { Meter, type Shapes, type Values, shapesOf } from './meter.ts'
import { ORIGIN_DAY, SECONDS_A_DAY } from './calendar.ts'

/**
 * The virtual fleet without its MQTT: what is published, in which order, and what is true. All of
 * it is a function of the options and the time. Times are whole seconds since 1970, UTC, where they
 * are not named otherwise.
 *
 * - sample: what a meter measures at a time; each has one every `intervalSeconds`, at seconds of
 *   its own.
 * - publish: one PUBLISH, at a second of its own: at the sample's, unless a fault says otherwise.
 */
export interface FleetOptions {
  readonly seed: number
  readonly meters: number
  readonly intervalSeconds: number
  /** Decides the local time that load profiles follow. */
  readonly zone: string
  readonly tenant: string
  readonly faults: FaultRates
}

/** What is to be in the log of one sample, when all that concerns it was published. */
export interface TrueReading {
  readonly meterId: string
  readonly meter: number
  /** As it was published, with a wrong clock's error. */
  readonly at: Micros
  readonly seq: number | undefined
  readonly values: Values
  /** Which faults it met. `silent` ones are never published. */
  readonly faults: readonly FaultName[]
}

export interface FleetPublish {
  /** When it is sent. */
  readonly second: number
  readonly meter: number
  readonly meterId: string
  readonly topic: string
  readonly payload: string
  /** What it says, in the order of the payload; none where it is poison. */
  readonly readings: readonly PublishedReading[]
}

export interface PublishedReading {
  readonly at: Micros
  readonly channels: readonly string[]
}

/** The most readings of a backlog in one PUBLISH. */
const BACKLOG_READINGS = 100
/** Wrong clocks show fractions that no right clock shows, so that identities never meet. */
const CLOCK_FRACTION: Micros = 123_000
const WILD_FRACTION: Micros = 456_000

const CHANNELS = ['power_w', 'voltage_v', 'energy_register_wh'] as const
const SOLAR_CHANNELS = [...CHANNELS, 'export_total_wh'] as const

/** The first second that a fleet knows. */
export const EARLIEST_SECOND = ORIGIN_DAY * SECONDS_A_DAY

export class Fleet {
  readonly options: FleetOptions
  readonly meters: readonly Meter[]
  readonly #plan: FaultPlan
  /** Meters by the second of their interval at which they measure. */
  readonly #byPhase: readonly Meter[][]
  readonly #topics: readonly string[]

  constructor(options: FleetOptions) {
    const { seed, meters, intervalSeconds, tenant } = options
    const zone = new Zone(options.zone)
    const shapes: Shapes = shapesOf(seed, zone)
    this.options = options
    this.#plan = new FaultPlan(seed, options.faults)
    this.meters = Array.from(
      { length: meters },
      (_, i) => new Meter(i, meterIdOf(i), seed, shapes, zone),
    )
    this.#topics = this.meters.map(({ meterId }) => `fleet/${tenant}/${meterId}/readings`)
    this.#byPhase = Array.from({ length: intervalSeconds }, () => [])
    for (const meter of this.meters) {
      const phase = Math.floor(unit(seed, PURPOSE.phase, meter.index, 0) * intervalSeconds)
      this.#byPhase[phase]!.push(meter)
    }
  }

  /**
   * What is published in seconds `[from, to)`, in this order. Memory holds no more than what faults
   * have delayed. Two calls side by side give what one over both times gives.
   */
  *publishes(from: number, to: number): Generator<FleetPublish, void, void> {
    const delayed = new Map<number, FleetPublish[]>()
    const first = Math.max(EARLIEST_SECOND, from - delaySecondsMax(this.options.faults))
    for (let second = first; second < to; second += 1) {
      const now = delayed.get(second) ?? []
      delayed.delete(second)
      for (const meter of this.#byPhase[second % this.options.intervalSeconds]!) {
        for (const publish of this.#ofSample(meter, second)) {
          if (publish.second < from) continue
          if (publish.second === second) now.push(publish)
          else if (publish.second < to) add(delayed, publish)
        }
      }
      if (second >= from) yield* now
    }
  }

  /** What is true of the samples of `[from, to)`: by time, then by meter. */
  *truth(from: number, to: number): Generator<TrueReading, void, void> {
    for (let second = Math.max(EARLIEST_SECOND, from); second < to; second += 1) {
      for (const meter of this.#byPhase[second % this.options.intervalSeconds]!) {
        yield this.trueReading(meter, second)
      }
    }
  }

  trueReading(meter: Meter, second: number): TrueReading {
    const { index, meterId } = meter
    const faults: FaultName[] = EVENT_FAULTS.filter(
      (fault) => this.#plan.event(fault, index, second) !== undefined,
    )
    const has = (fault: FaultName) => faults.includes(fault)
    if (!has('silent')) {
      const possible = has('backlog') ? (['poison'] as const) : READING_FAULTS
      for (const fault of possible) {
        if (!Number.isNaN(this.#plan.draw(fault, index, second))) faults.push(fault)
      }
    }
    const first = this.#values(meter, second)
    const isCorrected = has('corrections') && !has('late') && !has('wild-clock')
    return {
      ...{ meterId, meter: index, faults },
      at: this.#shownMicros(index, second),
      seq: isCorrected ? 1 : undefined,
      values: isCorrected ? corrected(first) : first,
    }
  }

  /** Everything that one sample makes somebody publish, now or later. */
  #ofSample(meter: Meter, second: number): FleetPublish[] {
    const { index } = meter
    const plan = this.#plan
    const made = this.#released(meter, second)
    if (plan.event('silent', index, second) !== undefined) return made
    const poisonDraw = plan.draw('poison', index, second)
    if (!Number.isNaN(poisonDraw)) {
      const payload = poison(poisonDraw, timeText(second * 1_000_000))
      made.push(this.#publish(meter, second, payload, []))
    }
    if (plan.event('backlog', index, second) !== undefined) return made

    const late = plan.draw('late', index, second)
    const disorder = plan.draw('disorder', index, second)
    const delay = !Number.isNaN(late)
      ? 7_200 + Math.floor(late * 14_400)
      : Number.isNaN(disorder)
        ? 0
        : 5 + Math.floor(disorder * 111)
    const at = this.#shownMicros(index, second)
    const values = this.#values(meter, second)
    const readings = [{ at, channels: channelsOf(meter) }]
    const text = readingText(at, values, undefined)
    const first = this.#publish(meter, second + delay, text, readings)
    made.push(first)
    const again = plan.draw('duplicates', index, second)
    if (!Number.isNaN(again)) {
      made.push({ ...first, second: first.second + 1 + Math.floor(again * 299) })
    }
    const correction = plan.draw('corrections', index, second)
    // Beyond the horizon the later wins, whatever its seq: nobody corrects what is that old.
    const isOld = !Number.isNaN(late) || plan.event('wild-clock', index, second) !== undefined
    if (!Number.isNaN(correction) && !isOld) {
      const when = first.second + 60 + Math.floor(correction * 1_141)
      const better = readingText(at, corrected(values), 1)
      made.push(this.#publish(meter, when, better, readings))
      const once = plan.another('corrections', index, second)
      if (once < 1 / 3) made.push({ ...first, second: when + 1 + Math.floor(once * 3 * 599) })
    }
    return made
  }

  /** The backlog of an outage that ended since the sample before, newest first. */
  #released(meter: Meter, second: number): FleetPublish[] {
    const { index } = meter
    const { intervalSeconds } = this.options
    const outage = this.#plan.event('backlog', index, second - intervalSeconds)
    if (outage === undefined || second < outage.end) return []
    const made: FleetPublish[] = []
    let texts: string[] = []
    let readings: PublishedReading[] = []
    const flush = () => {
      if (texts.length === 0) return
      const payload = texts.length === 1 ? texts[0]! : `[${texts.join(',')}]`
      made.push(this.#publish(meter, second, payload, readings))
      texts = []
      readings = []
    }
    for (let at = second - intervalSeconds; at >= outage.start; at -= intervalSeconds) {
      if (this.#plan.event('silent', index, at) !== undefined) continue
      const shown = this.#shownMicros(index, at)
      texts.push(readingText(shown, this.#values(meter, at), undefined))
      readings.push({ at: shown, channels: channelsOf(meter) })
      if (texts.length === BACKLOG_READINGS) flush()
    }
    flush()
    return made
  }

  /** What the meter says it measures, stuck and spikes included. */
  #values(meter: Meter, second: number): Values {
    const stuck = this.#plan.event('stuck', meter.index, second)
    const values = meter.valuesAt(stuck === undefined ? second : stuck.start)
    const spike = this.#plan.event('spikes', meter.index, second)
    if (spike === undefined) return values
    const times = 6 + (spike.choice % 10)
    return { ...values, powerW: Math.round(Math.abs(values.powerW) * times * 10) / 10 }
  }

  /** What the meter says its time is. */
  #shownMicros(meter: number, second: number): Micros {
    const wild = this.#plan.event('wild-clock', meter, second)
    if (wild !== undefined) return wildClock(wild.choice, second) * 1_000_000 + WILD_FRACTION
    const off = this.#plan.event('clock', meter, second)
    if (off === undefined) return second * 1_000_000
    return (second + clockOffset(off.choice)) * 1_000_000 + CLOCK_FRACTION
  }

  #publish(
    { index, meterId }: Meter,
    second: number,
    payload: string,
    readings: readonly PublishedReading[],
  ): FleetPublish {
    return { second, meter: index, meterId, topic: this.#topics[index]!, payload, readings }
  }
}

/** `sim-0001` is the first; the prefix tells simulated meters from real ones. */
export function meterIdOf(index: number): string {
  return `sim-${String(index + 1).padStart(4, '0')}`
}

function add(delayed: Map<number, FleetPublish[]>, publish: FleetPublish): void {
  const there = delayed.get(publish.second)
  if (there === undefined) delayed.set(publish.second, [publish])
  else there.push(publish)
}

function channelsOf({ kind }: Meter): readonly string[] {
  return kind === 'solar' ? SOLAR_CHANNELS : CHANNELS
}

/** Somebody has looked at the meter: a tenth more and one watt. */
function corrected(values: Values): Values {
  return { ...values, powerW: Math.round((values.powerW * 1.1 + 1) * 10) / 10 }
}

let lastSecond = NaN
let lastText = ''

/** Many meters measure in one second: its text is made once. */
function timeText(at: Micros): string {
  const second = Math.floor(at / 1_000_000)
  if (second !== lastSecond) {
    lastSecond = second
    lastText = new Date(second * 1_000).toISOString().slice(0, 19)
  }
  const rest = at - second * 1_000_000
  return rest === 0 ? `${lastText}Z` : `${lastText}.${String(rest / 1_000).padStart(3, '0')}Z`
}

function readingText(at: Micros, values: Values, seq: number | undefined): string {
  const { powerW, voltageV, registerWh, exportWh } = values
  const given = Number.isNaN(exportWh) ? '' : `,"export_total_wh":${exportWh}`
  const order = seq === undefined ? '' : `,"seq":${seq}`
  return (
    `{"at":"${timeText(at)}"${order},"power_w":${powerW},"voltage_v":${voltageV},` +
    `"energy_register_wh":${registerWh}${given}}`
  )
}
