import { minutes } from '../../src/kernel/time.ts'
import type { Micros } from '../../src/kernel/time.ts'
import { QUALITIES } from '../../src/schemas/records.ts'
import type { Measurement, Quality, Reading } from '../../src/schemas/records.ts'

/** Sunday, 1 March 2026, 00:00 UTC: where the readings of tests begin. */
export const START: Micros = Date.UTC(2026, 2, 1) * 1_000

export interface ReadingOptions {
  readonly tenant?: string
  readonly seq?: number
  readonly quality?: Quality
}

/** One reading of one channel. */
export function aReading(
  meterId: string,
  channel: string,
  at: Micros,
  value: number,
  options: ReadingOptions = {},
): Reading {
  const { tenant = 'demo', seq = null, quality = 'MEASURED' } = options
  return { tenant, meterId, at, seq, measurements: [{ channel, value, quality }] }
}

/**
 * A meter that goes on where it stopped: each call answers its next readings, in time.
 *
 * @example
 * const meter = aMeter('m-1')
 * driver.append(meter.quarterHours(24, { power_w: 100 }))
 * driver.append(meter.quarterHours(1, { power_w: 450 }))
 */
export function aMeter(meterId: string, begin: Micros = START) {
  let at = begin
  const every = (step: Micros, count: number, values: Readonly<Record<string, number>>) => {
    const measurements = Object.entries(values).map(([channel, value]): Measurement => ({
      channel,
      value,
      quality: 'MEASURED',
    }))
    return Array.from({ length: count }, (): Reading => {
      const reading = { tenant: 'demo', meterId, at, seq: null, measurements }
      at += step
      return reading
    })
  }
  return {
    /** One reading a minute, `count` quarter hours long. */
    quarterHours: (count: number, values: Readonly<Record<string, number>>) =>
      every(minutes(1), 15 * count, values),
    minutes: (count: number, values: Readonly<Record<string, number>>) =>
      every(minutes(1), count, values),
    hours: (count: number, values: Readonly<Record<string, number>>) =>
      every(minutes(60), count, values),
    /** The time of the next reading. */
    get now(): Micros {
      return at
    },
    /** Says nothing for a while. */
    pause(micros: Micros): void {
      at += micros
    },
  }
}

/** The reading of one channel that wins of each time, as a list ascending in time. */
export function winners(readings: readonly Reading[]): { at: number; value: number }[] {
  const known = new Map<number, Reading>()
  const rank = (r: Reading) => r.seq! * 10 - QUALITIES.indexOf(r.measurements[0]!.quality)
  for (const reading of readings) {
    const other = known.get(reading.at)
    if (other === undefined || rank(reading) >= rank(other)) known.set(reading.at, reading)
  }
  return [...known.values()]
    .filter((r) => r.measurements[0]!.quality !== 'BAD')
    .map((r) => ({ at: r.at, value: r.measurements[0]!.value }))
    .sort((a, b) => a.at - b.at)
}
