/** Instants of the api, `2026-11-20T00:00:00.000000Z`, as whole microseconds since 1970, UTC. */
export type Micros = number

export function parseMicros(text: string): Micros {
  const millis = Date.parse(`${text.slice(0, 23)}Z`)
  // What has another form has no more than milliseconds.
  if (text.length !== 27 || Number.isNaN(millis)) return Date.parse(text) * 1_000
  return millis * 1_000 + Number(text.slice(23, 26))
}

const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** `15m` in ms; 0 for what has no fixed length. */
export function widthMs(width: string): number {
  const found = /^(\d+)([smhd])$/.exec(width)
  return found === null ? 0 : Number(found[1]) * UNITS_MS[found[2]!]!
}
