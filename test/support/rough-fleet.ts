import type { Quality, Reading } from '../../src/schemas/records.ts'
import { random } from './random.ts'

/**
 * A small fleet that misbehaves in every way that the law of the rows speaks of: disorder, late and
 * much too late readings, duplicates, corrections, all qualities, fast clocks, gaps, rollovers,
 * resets, glitches.
 */
export interface RoughOptions {
  readonly seed: number
  readonly meters: number
  readonly minutes: number
  /** Whether some readings come later than the horizon, and some clocks run ahead by hours. */
  readonly beyondHorizon: boolean
}

const MINUTE = 60_000_000
const START = Date.UTC(2026, 2, 1) * 1_000

interface Sent {
  readonly dueMicros: number
  readonly reading: Reading
}

/** Readings in the order of their sending, with the time of sending in microseconds. */
export function roughFleet(options: RoughOptions): Sent[] {
  const sent: Sent[] = []
  for (let m = 0; m < options.meters; m++) sent.push(...meter(options, m))
  return sent.sort((a, b) => a.dueMicros - b.dueMicros)
}

function meter(options: RoughOptions, m: number): Sent[] {
  const next = random(options.seed * 1_000 + m)
  const chance = (p: number) => next() < p
  const interval = [1, 1, 5, 60][m % 4]!
  const sent: Sent[] = []
  let register = m % 3 === 0 ? 999_000 : 1_000
  let level = 200 + 100 * m
  for (let minute = 0; minute < options.minutes; minute += interval) {
    if (chance(0.004)) minute += Math.floor(next() * (chance(0.2) ? 1_800 : 200))
    const at = START + minute * MINUTE + Math.floor(next() * 3) * 1_000_000
    if (chance(0.01)) level = 100 + next() * 2_000
    register += level * (interval / 60) * next() * 2
    if (register >= 1_000_000) register -= 1_000_000
    if (chance(0.002)) register = next() * 50
    const glitch = chance(0.004) ? 0 : register
    const quality: Quality = chance(0.02) ? 'BAD' : chance(0.05) ? 'SUSPECT' : 'MEASURED'
    const reading: Reading = {
      tenant: 'demo',
      meterId: `rough-${m}`,
      at,
      seq: m % 2 === 0 ? minute : null,
      measurements: [
        { channel: 'power_w', value: Math.round(level * (chance(0.01) ? 6 : 1)), quality },
        { channel: 'energy_wh', value: Math.round(next() * 100) / 8, quality: 'MEASURED' },
        { channel: 'energy_register_wh', value: Math.round(glitch), quality },
      ],
    }
    const late = chance(0.1) ? next() * 2 : chance(0.02) ? 3 + next() * 50 : 0
    const tooLate = options.beyondHorizon && chance(0.01) ? 70 + next() * 300 : 0
    const dueMicros = START + (minute + Math.max(late, tooLate)) * MINUTE
    sent.push({ dueMicros, reading })
    if (chance(0.05)) sent.push({ dueMicros: dueMicros + next() * 20 * MINUTE, reading })
    if (chance(0.02)) {
      const changed = reading.measurements.map((x) => ({
        ...x,
        value: x.value + Math.round(next() * 50),
      }))
      const seq = reading.seq === null ? null : reading.seq + (chance(0.3) ? -1 : 1)
      const correction = {
        ...reading,
        seq,
        measurements: changed.slice(0, 1 + Math.floor(next() * 3)),
      }
      sent.push({ dueMicros: dueMicros + next() * 40 * MINUTE, reading: correction })
    }
    if (options.beyondHorizon && chance(0.001)) {
      sent.push({ dueMicros, reading: { ...reading, at: at + Math.floor(next() * 300) * MINUTE } })
    }
  }
  return sent
}
