import assert from 'node:assert/strict'
import type { Row } from '../../src/engine/memory-tables.ts'
import type { Quality, Reading } from '../../src/schemas/records.ts'
import { random } from './random.ts'

export const MINUTE = 60_000_000
const HOUR = 60 * MINUTE
/** So that the days and the month that hold what is late end while the meter still speaks. */
const START = Date.UTC(2026, 1, 27, 12) * 1_000

/**
 * Two days of a meter with gaps, bad values, rollovers, resets and glitches. Nothing is decided
 * later than its horizon, so that coming in time is the same as any horizon.
 */
export function readingsOf(seed: number, meterId: string): Reading[] {
  const next = random(seed)
  const chance = (p: number) => next() < p
  let register = 999_000
  const made: Reading[] = []
  for (let minute = 0; minute < 48 * 60; minute += chance(0.01) ? 1 + Math.floor(next() * 40) : 1) {
    register = (register + Math.round(next() * 30)) % 1_000_000
    if (chance(0.001)) register = Math.round(next() * 50)
    const quality: Quality = chance(0.02) ? 'BAD' : 'MEASURED'
    made.push({
      tenant: 'demo',
      meterId,
      at: START + minute * MINUTE,
      seq: null,
      measurements: [
        { channel: 'power_w', value: Math.round(next() * 3_000), quality },
        { channel: 'energy_end_wh', value: Math.round(next() * 100) / 8, quality: 'MEASURED' },
        { channel: 'energy_register_wh', value: chance(0.003) ? 0 : register, quality },
      ],
    })
  }
  return made
}

/** Ten hours come when the meter has long gone on, and one hour of the next day is late too. */
export function split(all: readonly Reading[]): { inTime: Reading[]; late: Reading[] } {
  const [late, inTime] = [true, false].map((isLate) =>
    all.filter(({ at }) => {
      const hour = Math.floor((at - START) / HOUR)
      return isLate === ((hour >= 9 && hour < 19) || hour === 25)
    }),
  ) as [Reading[], Reading[]]
  return { inTime, late }
}

/** Energy that was settled on the way is added up in another order: to nine digits it is equal. */
export function assertSame(actual: readonly Row[], expected: readonly Row[]): void {
  const key = (row: Row) =>
    `${row['channel'] as string} ${row['ts'] as number} ${row['width'] as string}`
  const found = new Map(actual.map((row) => [key(row), row]))
  for (const row of expected) {
    const other = found.get(key(row))
    assert.ok(other !== undefined, `${key(row)} is missing`)
    for (const [name, value] of Object.entries(row)) {
      if (name === 'revision' || Object.is(other[name], value)) continue
      const difference = Math.abs((other[name] as number) - (value as number))
      assert.ok(
        difference <= 1e-9 * Math.max(1, Math.abs(value as number)),
        `${key(row)} ${name}: ${String(other[name])}, not ${String(value)}`,
      )
    }
  }
  const known = new Set(expected.map(key))
  const extra = actual.filter((row) => !known.has(key(row)) && row['count'] !== 0)
  assert.deepEqual(extra.map(key), [])
}
