import type { Zone } from '../replay/zone.ts'
import { Charger } from './charger.ts'
import { PURPOSE, hash32, unit, wave } from './hash.ts'
import { Load } from './load.ts'
import { ORIGIN_DAY, SECONDS_A_DAY } from './calendar.ts'
import { Shape, type ShapeName } from './shapes.ts'

/**
 * What a virtual meter measures, as a function of seed, meter and time.
 *
 * - kind: household (H25), commerce (G25), or household with solar panels (P25).
 * - powerW: what is taken from the grid at this moment, less what is given to it.
 * - registerWh: all that was ever taken, in whole Wh as meters show it; some meters have few
 *   digits.
 * - exportWh: all that was ever given; NaN where there are no panels.
 */
export interface Values {
  readonly powerW: number
  readonly voltageV: number
  readonly registerWh: number
  readonly exportWh: number
}

export type MeterKind = 'household' | 'commerce' | 'solar'

/** Of a hundred meters: 65 households, 20 of commerce, 15 with panels. */
const HOUSEHOLDS = 0.65
const COMMERCE = 0.2
const WITH_CAR = 0.15
const WITH_ROLLOVER = 0.05
/**
 * Six digits of Wh: a household's register comes round every few months, a shop's every few weeks.
 */
export const ROLLOVER_AT_WH = 1_000_000

export type Shapes = Readonly<Record<ShapeName, Shape>>

/** Shapes add up all days since the origin once: fleets of one seed and zone share them. */
const known = new Map<string, Shapes>()
const KNOWN_MAX = 8

export function shapesOf(seed: number, zone: Zone): Shapes {
  const name = `${seed} ${zone.name}`
  const there = known.get(name)
  if (there !== undefined) return there
  const shapes: Shapes = {
    H25: new Shape('H25', seed, zone),
    G25: new Shape('G25', seed, zone),
    P25: new Shape('P25', seed, zone),
    export: new Shape('export', seed, zone),
  }
  if (known.size >= KNOWN_MAX) known.clear()
  known.set(name, shapes)
  return shapes
}

export class Meter {
  readonly index: number
  readonly meterId: string
  readonly kind: MeterKind
  /** undefined: the register has digits enough. */
  readonly rolloverAtWh: number | undefined
  readonly #seed: number
  readonly #load: Load
  readonly #export: Load | undefined
  readonly #charger: Charger | undefined
  readonly #registerBaseWh: number

  constructor(index: number, meterId: string, seed: number, shapes: Shapes, zone: Zone) {
    const draw = (purpose: number, b = 0) => unit(seed, purpose, index, b)
    this.index = index
    this.meterId = meterId
    this.#seed = seed
    this.kind = kindOf(draw(PURPOSE.kind))
    this.rolloverAtWh = draw(PURPOSE.rollover) < WITH_ROLLOVER ? ROLLOVER_AT_WH : undefined
    this.#registerBaseWh = Math.floor(draw(PURPOSE.registerBase) * 9_000_000)
    const load = (shape: Shape, scale: number, variation: number, salt: number) =>
      new Load({
        ...{ seed, meter: index, shape, scale, variation, salt },
        hasAppliances: this.kind !== 'commerce' && salt === 0,
      })
    const size = draw(PURPOSE.scale)
    if (this.kind === 'commerce') this.#load = load(shapes.G25, 5 + 55 * size * size, 0.25, 0)
    else if (this.kind === 'solar') this.#load = load(shapes.P25, 2.5 + 3.5 * size, 0.6, 0)
    else this.#load = load(shapes.H25, 1.5 + 4 * size, 0.7, 0)
    if (this.kind === 'solar') {
      this.#export = load(shapes.export, 4 + 8 * draw(PURPOSE.scale, 1), 0.2, 1)
    }
    if (this.kind === 'household' && draw(PURPOSE.ev) < WITH_CAR) {
      const offset = zone.offsetAt(ORIGIN_DAY * SECONDS_A_DAY * 1_000_000) / 1_000_000
      this.#charger = new Charger(seed, index, offset)
    }
  }

  /** @param at Seconds since 1970. */
  valuesAt(at: number): Values {
    const takenW = this.#load.powerW(at) + (this.#charger?.powerW(at) ?? 0)
    const powerW = takenW - (this.#export?.powerW(at) ?? 0)
    return {
      // Zero is added to make 0 of -0, which JSON would not tell apart.
      powerW: Math.round(powerW * 10) / 10 + 0,
      voltageV: this.#voltageV(at, powerW),
      registerWh: this.#registerWh(at),
      exportWh: this.#export === undefined ? NaN : Math.floor(this.#export.energyWh(at)),
    }
  }

  #registerWh(at: number): number {
    const taken = this.#load.energyWh(at) + (this.#charger?.energyWh(at) ?? 0)
    const register = Math.floor(this.#registerBaseWh + taken)
    return this.rolloverAtWh === undefined ? register : register % this.rolloverAtWh
  }

  /** 230 V, a slow wave of the street's, less what the meter's own load draws it down by. */
  #voltageV(at: number, powerW: number): number {
    const street = 2.5 * wave(this.#seed, PURPOSE.voltage, this.index >> 4, at / 1_800)
    const jitter = (hash32(this.#seed, PURPOSE.voltage, this.index, at) / 2 ** 32 - 0.5) * 0.6
    return Math.round((230 + street + jitter - powerW * 0.0003) * 10) / 10
  }
}

function kindOf(draw: number): MeterKind {
  if (draw < HOUSEHOLDS) return 'household'
  return draw < HOUSEHOLDS + COMMERCE ? 'commerce' : 'solar'
}
