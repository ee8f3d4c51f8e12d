/**
 * What the benchmark of the bridge publishes, so that each reading can be told from what arrived.
 */
export interface Load {
  readonly url: string
  /** Tells one run's readings from another's. */
  readonly tenant: string
  readonly connections: number
  /** Publishes that wait for their PUBACK, over all connections. */
  readonly outstanding: number
  readonly readings: number
}

/** A multiple of all counts of connections, so that a meter keeps to one. */
const METERS = 2_000
const BASE_MILLIS = Date.UTC(2026, 0, 1)

export function meterOf(i: number): string {
  return `m-${i % METERS}`
}

/** One reading in the short form, as a device sends it. */
export function readingOf(i: number): string {
  const at = new Date(BASE_MILLIS + Math.floor(i / METERS) * 1_000).toISOString()
  return `{"at":"${at}","power_w":${(i % 1_000) + 0.5}}`
}

/** Which reading it is. */
export function indexOf(meterId: string, atMillis: number): number {
  return ((atMillis - BASE_MILLIS) / 1_000) * METERS + Number(meterId.slice(2))
}
