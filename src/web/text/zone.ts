/** Local time in the zone of a site, from what the browser knows of zones. Times are ms UTC. */

const formats = new Map<string, Intl.DateTimeFormat>()

/** The zone, or UTC where the browser does not know it. */
export function knownZone(zone: string): string {
  try {
    formatOf(zone)
    return zone
  } catch {
    return 'UTC'
  }
}

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', { timeZone: zone, timeZoneName: 'longOffset' })
    formats.set(zone, format)
  }
  return format
}

const QUARTER_MS = 900_000
/** Offsets change on whole quarters of an hour; charts ask for the same ones again and again. */
const offsets = new Map<string, number>()
const OFFSETS_MAX = 10_000

/** What is to be added to UTC to get the local time there, in ms. */
export function offsetMsAt(zone: string, millis: number): number {
  const quarter = Math.floor(millis / QUARTER_MS)
  const key = `${zone} ${quarter}`
  const known = offsets.get(key)
  if (known !== undefined) return known
  const name = formatOf(knownZone(zone))
    .formatToParts(quarter * QUARTER_MS)
    .find(({ type }) => type === 'timeZoneName')?.value
  const found = /GMT([+-])(\d\d):(\d\d)/.exec(name ?? '')
  const minutes = found === null ? 0 : Number(found[2]) * 60 + Number(found[3])
  const offsetMs = (found?.[1] === '-' ? -minutes : minutes) * 60_000
  if (offsets.size >= OFFSETS_MAX) offsets.clear()
  offsets.set(key, offsetMs)
  return offsetMs
}

/**
 * The instant at which the clocks there show this local time, told as if it were UTC. Of a time
 * that comes twice the first; of one that is left out the instant at which the clocks go on.
 */
export function instantOf(zone: string, localMs: number): number {
  // Across a change of the clocks one of the two offsets of that day is the right one.
  const before = offsetMsAt(zone, localMs - 86_400_000)
  const after = offsetMsAt(zone, localMs + 86_400_000)
  for (const offsetMs of [before, after]) {
    const millis = localMs - offsetMs
    if (offsetMsAt(zone, millis) === offsetMs) return millis
  }
  return localMs - before
}

/** The first instant of the local day that holds `millis`. */
export function dayStart(zone: string, millis: number): number {
  const local = millis + offsetMsAt(zone, millis)
  return instantOf(zone, Math.floor(local / 86_400_000) * 86_400_000)
}

/** The first instant of the local day `days` after the one that holds `millis`. */
export function dayAfter(zone: string, millis: number, days: number): number {
  const local = millis + offsetMsAt(zone, millis)
  return instantOf(zone, (Math.floor(local / 86_400_000) + days) * 86_400_000)
}
