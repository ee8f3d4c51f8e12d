import assert from 'node:assert/strict'
import type { Sample } from './scene.ts'

/** What the queries' answers are compared with: nothing here comes from the product. */

export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

/** Local midnights of Berlin from 24 to 28 October 2026, by the calendar on the wall. */
export const BERLIN_MIDNIGHTS = [
  '2026-10-23T22:00:00Z',
  '2026-10-24T22:00:00Z',
  '2026-10-25T23:00:00Z',
  '2026-10-26T23:00:00Z',
  '2026-10-27T23:00:00Z',
].map((time) => Date.parse(time))

export const textOf = (ms: number) => new Date(ms).toISOString().slice(0, 19).replace('T', ' ')
/** psql shows microseconds, and no zone: it is UTC. */
export const msOf = (text: string) => Date.parse(`${text.slice(0, 19).replace(' ', 'T')}Z`)

export function localHour(ms: number): number {
  const format = { hour: 'numeric', hourCycle: 'h23', timeZone: 'Europe/Berlin' } as const
  return Number(new Intl.DateTimeFormat('en', format).format(ms))
}

export const between = (samples: readonly Sample[], fromMs: number, toMs: number) =>
  samples.filter(({ atMs }) => atMs >= fromMs && atMs < toMs)

export const mean = (numbers: readonly number[]) =>
  numbers.reduce((sum, number) => sum + number, 0) / numbers.length

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}

/** Means of the samples in intervals of a length, by start; empty intervals are left out. */
export function meansOf(samples: readonly Sample[], lengthMs: number): ReadonlyMap<number, number> {
  const groups = Map.groupBy(samples, ({ atMs }) => Math.floor(atMs / lengthMs) * lengthMs)
  return new Map([...groups].map(([start, group]) => [start, mean(group.map((s) => s.value))]))
}

/** What a register that never comes round shows at a time between two of its samples. */
export function registerAt(samples: readonly Sample[], ms: number): number {
  const next = samples.findIndex(({ atMs }) => atMs >= ms)
  const [before, after] = [samples[next - 1], samples[next]]
  assert.ok(before !== undefined && after !== undefined, 'within what was sent')
  const share = (ms - before.atMs) / (after.atMs - before.atMs)
  return before.value + share * (after.value - before.value)
}

export const energyKwh = (samples: readonly Sample[], fromMs: number, toMs: number) =>
  (registerAt(samples, toMs) - registerAt(samples, fromMs)) / 1_000

export function near(found: string | undefined, expected: number, what: string): void {
  const off = Math.abs(Number(found) - expected)
  assert.ok(off <= 1e-9 * Math.max(1, Math.abs(expected)), `${what}: ${found!}, not ${expected}`)
}
