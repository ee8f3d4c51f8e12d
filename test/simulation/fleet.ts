import { minutes, seconds } from '../../src/kernel/time.ts'
import type { Micros } from '../../src/kernel/time.ts'
import type { Measurement, Quality, Reading } from '../../src/schemas/records.ts'
import { START } from '../support/readings.ts'
import type { Dice } from './dice.ts'

/** A reading, and when it comes to the log. */
export interface Sent {
  readonly dueMicros: Micros
  readonly reading: Reading
}

/** What a meter's clock may be wrong by: it says this instead of the time that it is. */
const SKEWS: readonly (readonly [string, (at: Micros) => Micros])[] = [
  ['clock: an hour ahead', (at) => at + minutes(60)],
  ['clock: a day behind', (at) => at - minutes(1_440)],
  ['clock: 1970', (at) => at - START],
  ['clock: 2100', (at) => at - START + Date.UTC(2100, 0, 1) * 1_000],
]

const CHANNELS = ['power_w', 'energy_wh', 'energy_register_wh'] as const

/** A few meters for about eight hours, with all that the law of the rows speaks of. */
export function fleet(dice: Dice): Sent[] {
  const meters = dice.whole('fleet', 2, 4)
  const sent: Sent[] = []
  for (let m = 0; m < meters; m++) sent.push(...new Meter(dice, m).send())
  return sent.sort((a, b) => a.dueMicros - b.dueMicros)
}

class Meter {
  private readonly dice: Dice
  private readonly name: string
  private readonly numbered: boolean
  private readonly stepMicros: Micros
  private readonly channels: readonly string[]
  private readonly skew: (at: Micros) => Micros = (at) => at
  private level: number
  private register: number
  private readonly sent: Sent[] = []

  constructor(dice: Dice, m: number) {
    this.dice = dice
    this.name = `sim-${m}`
    this.numbered = dice.chance('fleet', 0.5)
    this.stepMicros = minutes([3, 5, 5, 15][dice.whole('fleet', 0, 3)]!)
    this.channels = CHANNELS.slice(dice.whole('fleet', 0, 1), dice.whole('fleet', 2, 3))
    this.level = 200 + 100 * m
    this.register = dice.chance('fleet', 0.5) ? 999_500 : 1_000
    if (dice.chance('skew', 0.15)) {
      const [what, skew] = SKEWS[dice.whole('skew', 0, SKEWS.length - 1)]!
      dice.reach(what)
      this.skew = skew
    }
  }

  send(): Sent[] {
    const { dice } = this
    const end = START + minutes(dice.whole('fleet', 420, 540))
    let at = START + seconds(dice.whole('fleet', 0, 50))
    for (let i = 0; at < end; i++, at += this.stepMicros) {
      if (dice.chance('gap', 0.01)) {
        dice.reach('reading: gap')
        at += minutes(dice.whole('gap', 10, 150))
      }
      this.sendOne(at, i)
    }
    return this.sent
  }

  private sendOne(at: Micros, i: number): void {
    const { dice } = this
    const reading: Reading = {
      tenant: 'demo',
      meterId: this.name,
      at: this.oneSkew(this.skew(at)),
      seq: this.numbered ? i : null,
      measurements: this.measure(),
    }
    let dueMicros = at
    if (dice.chance('late', 0.06)) {
      dueMicros += minutes(dice.whole('late', 1, 50))
      dice.reach('reading: late')
    } else if (dice.chance('late', 0.01)) {
      dueMicros += minutes(dice.whole('late', 70, 300))
      dice.reach('reading: too late')
    }
    this.sent.push({ dueMicros, reading })
    if (dice.chance('again', 0.05)) {
      dice.reach('reading: twice')
      this.sent.push({ dueMicros: dueMicros + minutes(dice.whole('again', 0, 20)), reading })
    }
    if (dice.chance('correction', 0.03)) this.correct(dueMicros, reading)
  }

  private oneSkew(at: Micros): Micros {
    if (!this.dice.chance('one skew', 0.001)) return at
    const [what, skew] = SKEWS[this.dice.whole('one skew', 0, SKEWS.length - 1)]!
    this.dice.reach(what)
    return skew(at)
  }

  private measure(): Measurement[] {
    const { dice } = this
    if (dice.chance('level', 0.02)) this.level = 100 + dice.whole('level', 0, 3_000)
    this.register += Math.round((this.level * dice.next('level') * this.stepMicros) / 3.6e9)
    if (this.register >= 1_000_000) {
      this.register -= 1_000_000
      dice.reach('register: rollover')
    }
    if (dice.chance('level', 0.003)) {
      this.register = dice.whole('level', 0, 50)
      dice.reach('register: reset')
    }
    const glitch = dice.chance('level', 0.005)
    const quality: Quality = dice.chance('quality', 0.02)
      ? 'BAD'
      : dice.chance('quality', 0.05)
        ? 'SUSPECT'
        : 'MEASURED'
    const values: Readonly<Record<string, number>> = {
      power_w: this.level * (dice.chance('level', 0.01) ? 6 : 1),
      energy_wh: dice.whole('level', 0, 800) / 8,
      energy_register_wh: glitch ? 0 : this.register,
    }
    return this.channels.map((channel) => ({ channel, value: values[channel]!, quality }))
  }

  /** The same time again with another value: by a number, by a quality, or by neither. */
  private correct(dueMicros: Micros, reading: Reading): void {
    const { dice } = this
    const byQuality = dice.chance('correction', 0.4)
    dice.reach(byQuality ? 'correction: by quality' : 'correction: by seq')
    const quality: Quality = dice.chance('correction', 0.5) ? 'ESTIMATED' : 'BAD'
    const measurements = reading.measurements.map((one) => ({
      ...one,
      value: one.value + dice.whole('correction', 1, 90),
      quality: byQuality ? quality : one.quality,
    }))
    const step = byQuality ? 0 : dice.chance('correction', 0.3) ? -1 : 1
    const seq = reading.seq === null ? null : Math.max(0, reading.seq + step)
    const later = dueMicros + minutes(dice.whole('correction', 0, 45))
    this.sent.push({ dueMicros: later, reading: { ...reading, seq, measurements } })
  }
}
