import { timeText } from '../text/times.ts'
import { dayAfter, dayStart, instantOf, offsetMsAt } from '../text/zone.ts'

/** Marks of a time axis on round local times of the site's zone. Times are ms UTC. */

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7, 14, 28, 91, 182, 364, 1_820, 3_640].map((n) => n * DAY),
]

/** The smallest round step that gives at most `most` marks. */
export function stepFor(spanMs: number, most: number): number {
  return STEPS.find((step) => spanMs / step <= most) ?? STEPS.at(-1)!
}

export function ticksIn(from: number, to: number, step: number, zone: string): number[] {
  return step < DAY ? clockTicks(from, to, step, zone) : dayTicks(from, to, step / DAY, zone)
}

/** On a day of a change an hour is left out or comes twice, and the marks stay on round times. */
function clockTicks(from: number, to: number, step: number, zone: string): number[] {
  const ticks: number[] = []
  const first = Math.floor((from + offsetMsAt(zone, from)) / step) * step
  for (let local = first; ; local += step) {
    const at = instantOf(zone, local)
    const last = ticks.at(-1)
    if (last !== undefined && at - last > step) fillIn(ticks, last, at, step)
    if (at > to) break
    if (at >= from && at > (last ?? -Infinity)) ticks.push(at)
  }
  return ticks.filter((at) => at >= from && at <= to)
}

/** The hour that comes twice: the marks of its second time lie between two others. */
function fillIn(ticks: number[], after: number, before: number, step: number): void {
  for (let at = after + step; before - at >= step / 2; at += step) ticks.push(at)
}

function dayTicks(from: number, to: number, days: number, zone: string): number[] {
  const ticks: number[] = []
  // Counted from one day on, so that marks stay when the view moves.
  const local = from + offsetMsAt(zone, from)
  const behind = Math.floor(local / DAY) % days
  for (let at = dayAfter(zone, from, -behind); at <= to; at = dayAfter(zone, at, days)) {
    if (at >= from) ticks.push(at)
  }
  return ticks
}

export interface TickText {
  readonly clock: string
  /** The day, on the first mark and on the first of each day; '' elsewhere. */
  readonly day: string
}

export function tickTexts(ticks: readonly number[], step: number, zone: string): TickText[] {
  let before: number | undefined
  return ticks.map((at) => {
    const start = dayStart(zone, at)
    const day = start === before ? '' : timeText(at, zone, step >= 28 * DAY ? 'dayYear' : 'day')
    before = start
    if (step >= DAY) return { clock: day, day: '' }
    return { clock: timeText(at, zone, step < MINUTE ? 'second' : 'minute'), day }
  })
}
