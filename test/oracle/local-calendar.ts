/**
 * Local days and months as the wall clock shows them, found by asking `Intl` for the date of one
 * quarter hour after the other.
 */

const QUARTER = 15 * 60_000_000
const formats = new Map<string, Intl.DateTimeFormat>()

/** `2026-03-29`, as the clocks of `zone` show it at `time` (microseconds). */
function dateAt(zone: string, time: number): string {
  let format = formats.get(zone)
  if (format === undefined) {
    // Canada writes dates the way they sort.
    const parts = { year: 'numeric', month: '2-digit', day: '2-digit' } as const
    format = new Intl.DateTimeFormat('en-CA', { timeZone: zone, ...parts })
    formats.set(zone, format)
  }
  return format.format(time / 1_000)
}

const known = new Map<string, [number, number]>()
/** What was found of a quarter hour, so that it is asked for once. */
const asked = new Map<string, Map<number, [number, number]>>()

/** `[start, end)` around `time` in which the first `letters` of the date are the same. */
function around(zone: string, time: number, letters: number): [number, number] {
  const quarter = Math.floor(time / QUARTER) * QUARTER
  const name = `${zone} ${letters}`
  let places = asked.get(name)
  if (places === undefined) asked.set(name, (places = new Map<number, [number, number]>()))
  let found = places.get(quarter)
  if (found === undefined) places.set(quarter, (found = search(zone, quarter, letters)))
  return found
}

function search(zone: string, quarter: number, letters: number): [number, number] {
  const shown = dateAt(zone, quarter).slice(0, letters)
  const found = known.get(`${zone} ${shown}`)
  if (found !== undefined) return found
  const is = (at: number) => dateAt(zone, at).slice(0, letters) === shown
  let start = quarter
  while (is(start - QUARTER)) start -= QUARTER
  let end = quarter + QUARTER
  while (is(end)) end += QUARTER
  known.set(`${zone} ${shown}`, [start, end])
  return [start, end]
}

export const localDay = (zone: string, time: number) => around(zone, time, 10)
export const localMonth = (zone: string, time: number) => around(zone, time, 7)
