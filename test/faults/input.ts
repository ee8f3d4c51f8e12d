import type { LedgerReading } from '../../src/tools/ledger.ts'
import { random } from '../support/random.ts'

/**
 * What a rough fleet sends, for as long as one likes, through the night in which the clocks of
 * Europe go forward: of all readings 5 % are sent twice, 1 % are corrected, 10 % come up to two
 * minutes out of order, 2 % late, 1 % too late, 0.5 % from a clock that is wrong; and 1 % of what
 * is sent is poison.
 */
export type Kind =
  'plain' | 'repeat' | 'correction' | 'shuffled' | 'late' | 'too late' | 'skewed' | 'poison'

export interface Message {
  readonly kind: Kind
  readonly topic: string
  readonly payload: string
  /** Undefined where the payload holds none on purpose. */
  readonly reading: LedgerReading | undefined
}

const MINUTE = 60_000_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** Afternoon before the short night; the clocks go forward at 01:00 UTC. */
const START = Date.UTC(2026, 2, 28, 15) * 1_000
const FORWARD = Date.UTC(2026, 2, 29, 1) * 1_000
const TENANT = 'demo'
/** Where the registers of the fleet begin again at 0; the stage's channels say the same. */
export const ROLLOVER_AT = 1_000_000
/** Expected minutes between two readings of a meter, in turn. */
const INTERVALS = [1, 1, 5, 1, 15]

interface Meter {
  readonly id: string
  readonly intervalMinutes: number
  readonly hasSeq: boolean
  register: number
  levelW: number
  /** Minutes for which it draws six times as much. */
  spiking: number
  /** Minutes for which it says nothing. */
  quiet: number
}

/** A meter's local time with its offset, as devices write it: 23 hours make that day. */
function localTime(at: number): string {
  const hours = at < FORWARD ? 1 : 2
  return new Date((at + hours * HOUR) / 1_000).toISOString().replace('Z', `+0${hours}:00`)
}

export class InputMix {
  private readonly next: () => number
  private readonly meters: readonly Meter[]
  private readonly due = new Map<number, Message[]>()
  private minute = 0
  /** Messages made so far, by kind. */
  readonly made = new Map<Kind, number>()

  constructor(options: { readonly seed: number; readonly meters: number }) {
    this.next = random(options.seed)
    this.meters = Array.from({ length: options.meters }, (_, m) => ({
      id: `rough-${m}`,
      intervalMinutes: INTERVALS[m % INTERVALS.length]!,
      hasSeq: m % 2 === 0,
      register: m % 3 === 0 ? ROLLOVER_AT - 4_000 : 1_000,
      levelW: 200 + 37 * m,
      spiking: 0,
      quiet: 0,
    }))
  }

  /** All that is sent in the fleet's next minute. */
  nextMinute(): readonly Message[] {
    const { minute } = this
    for (const meter of this.meters) {
      if (minute % meter.intervalMinutes === 0) this.measure(meter, minute)
    }
    const now = this.due.get(minute) ?? []
    this.due.delete(minute)
    this.minute++
    return now
  }

  /** What is still to come of readings that were made. */
  rest(): readonly Message[] {
    const minutes = [...this.due.keys()].sort((a, b) => a - b)
    const all = minutes.flatMap((minute) => this.due.get(minute)!)
    this.due.clear()
    return all
  }

  private chance(share: number): boolean {
    return this.next() < share
  }

  private send(kind: Kind, minute: number, message: Omit<Message, 'kind'>): void {
    const list = this.due.get(minute) ?? []
    this.due.set(minute, list)
    list.push({ kind, ...message })
    this.made.set(kind, (this.made.get(kind) ?? 0) + 1)
  }

  private measure(meter: Meter, minute: number): void {
    const { next, intervalMinutes } = { next: this.next, intervalMinutes: meter.intervalMinutes }
    if (this.chance(0.001)) meter.quiet = this.chance(0.1) ? 26 * 60 : 90
    if (meter.quiet > 0) {
      meter.quiet -= intervalMinutes
      return
    }
    if (meter.spiking > 0) meter.spiking -= intervalMinutes
    else if (this.chance(0.002 * intervalMinutes)) meter.spiking = 15 + Math.floor(next() * 75)
    const powerW = Math.round(meter.levelW * (0.9 + 0.2 * next()) * (meter.spiking > 0 ? 6 : 1))
    meter.register = (meter.register + (powerW * intervalMinutes) / 60) % ROLLOVER_AT
    const at = START + minute * MINUTE + Math.floor(next() * 4) * 1_000_000
    const quality = this.chance(0.02) ? 'BAD' : this.chance(0.05) ? 'SUSPECT' : 'MEASURED'
    const values = {
      power_w: powerW,
      energy_wh: Math.round(powerW * intervalMinutes * 8) / 480,
      energy_register_wh: Math.round(meter.register),
    }
    const seq = meter.hasSeq ? 2 * minute : undefined
    const make = (changes: object, time = at) => message(meter, time, { ...values, ...changes })
    const said = { quality, ...(seq === undefined ? {} : { seq }) }
    const [kind, delay] = this.delayOf()
    if (kind === 'skewed') this.send(kind, minute, make(said, this.wrongTime(at)))
    else this.send(kind, minute + delay, make(said))
    if (this.chance(0.05)) this.send('repeat', minute + delay + this.upTo(20), make(said))
    if (this.chance(0.01)) {
      // What a correction wins by: a higher seq, or, where there is none, a better quality.
      const better = seq === undefined ? { quality: 'MEASURED' } : { quality, seq: seq + 1 }
      const changed = { power_w: powerW + 1 + this.upTo(900) }
      const late = minute + delay + this.upTo(40)
      this.send('correction', late, make({ ...changed, ...better }))
    }
    if (this.chance(0.01)) this.send('poison', minute, this.poison(meter, minute))
  }

  private upTo(minutes: number): number {
    return Math.floor(this.next() * minutes)
  }

  private delayOf(): [kind: Kind, minutes: number] {
    if (this.chance(0.1)) return ['shuffled', this.upTo(3)]
    if (this.chance(0.02)) return ['late', 3 + this.upTo(50)]
    if (this.chance(0.01)) return ['too late', 70 + this.upTo(200)]
    return [this.chance(0.005) ? 'skewed' : 'plain', 0]
  }

  private wrongTime(at: number): number {
    const times = [at + HOUR, at - DAY, 0, Date.UTC(2100, 0, 1) * 1_000]
    return times[Math.floor(this.next() * times.length)]!
  }

  /** Each is another text, so that each can be told among the dead letters. */
  private poison(meter: Meter, minute: number): Omit<Message, 'kind'> {
    const at = localTime(START + minute * MINUTE)
    const no = `${meter.id}-${minute}`
    const payloads = [
      `{"at":"${at}","power_w":1 broken ${no}`,
      JSON.stringify({ at: `yesterday ${no}`, power_w: 1 }),
      JSON.stringify({ at, power_w: `a lot ${no}` }),
      JSON.stringify({ power_w: 1, seq: no }),
    ]
    const payload = payloads[Math.floor(this.next() * payloads.length)]!
    return { topic: topicOf(meter.id), payload, reading: undefined }
  }
}

const topicOf = (meterId: string) => `fleet/${TENANT}/${meterId}/readings`

function message(meter: Meter, at: number, said: Readonly<Record<string, unknown>>) {
  const channels = Object.keys(said).filter((name) => name !== 'seq' && name !== 'quality')
  return {
    topic: topicOf(meter.id),
    payload: JSON.stringify({ at: localTime(at), ...said }),
    reading: { tenant: TENANT, meterId: meter.id, at, channels },
  }
}
