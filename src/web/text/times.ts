import { knownZone } from './zone.ts'

/** Times as people read them, in the zone of the site. All take ms UTC. */

export type TimeStyle = 'day' | 'dayYear' | 'minute' | 'second' | 'milli' | 'zone'

const STYLES: Record<TimeStyle, Intl.DateTimeFormatOptions> = {
  day: { weekday: 'short', day: 'numeric', month: 'short' },
  dayYear: { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' },
  minute: { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  second: { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' },
  milli: {
    ...{ hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' },
    fractionalSecondDigits: 3,
  },
  zone: { timeZoneName: 'short' },
}

const formats = new Map<string, Intl.DateTimeFormat>()

function format(style: TimeStyle, zone: string): Intl.DateTimeFormat {
  const key = `${style} ${zone}`
  let known = formats.get(key)
  if (known === undefined) {
    known = new Intl.DateTimeFormat('en-GB', { timeZone: knownZone(zone), ...STYLES[style] })
    formats.set(key, known)
  }
  return known
}

export function timeText(millis: number, zone: string, style: TimeStyle): string {
  if (style === 'zone') return zoneName(millis, zone)
  return format(style, zone).format(millis).replace(',', '')
}

/** The zone's short name at that time, such as CET or CEST: a change of the clocks shows in it. */
export function zoneName(millis: number, zone: string): string {
  const parts = format('zone', zone).formatToParts(millis)
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? zone
}

/** `Fri 20 Nov 14:15:03 CET`; with the year where it is another than that of `nowMs`. */
export function fullTime(millis: number, zone: string, nowMs: number): string {
  const day = timeText(millis, zone, sameYear(millis, nowMs, zone) ? 'day' : 'dayYear')
  const clock = timeText(millis, zone, millis % 1_000 === 0 ? 'second' : 'milli')
  return `${day} ${clock} ${zoneName(millis, zone)}`
}

/** `14:15 – 14:30 CET`, the day before it: the bounds of a window. */
export function spanText(fromMs: number, toMs: number, zone: string): string {
  const isDays = toMs - fromMs >= 86_400_000
  const style: TimeStyle = isDays ? 'day' : 'minute'
  const from = timeText(fromMs, zone, style)
  const to = timeText(toMs, zone, style)
  if (isDays) return `${from} – ${to}`
  const [before, after] = [zoneName(fromMs, zone), zoneName(toMs, zone)]
  return before === after ? `${from} – ${to} ${after}` : `${from} ${before} – ${to} ${after}`
}

function sameYear(a: number, b: number, zone: string): boolean {
  const year = (millis: number) => timeText(millis, zone, 'dayYear').slice(-4)
  return year(a) === year(b)
}

const STEPS: readonly [limitMs: number, unitMs: number, unit: string][] = [
  [60_000, 1_000, 's'],
  [3_600_000, 60_000, 'min'],
  [48 * 3_600_000, 3_600_000, 'h'],
  [Infinity, 86_400_000, 'd'],
]

/** `3 s ago`; `now` within a second; what lies ahead is told as such. */
export function agoText(millis: number, nowMs: number): string {
  const ms = nowMs - millis
  if (ms < -5_000) return `in ${durationText(-ms)}`
  return ms < 1_000 ? 'now' : `${durationText(ms)} ago`
}

/** `45 s`, `12 min`, `30 h`, `9 d`: whole units, rounded down. */
export function durationText(ms: number): string {
  const [, unitMs, unit] = STEPS.find(([limitMs]) => ms < limitMs)!
  return `${Math.floor(ms / unitMs)} ${unit}`
}
