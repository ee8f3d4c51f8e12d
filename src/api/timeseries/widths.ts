import { days, hours, minutes, type Micros } from '../../kernel/time.ts'
import { apiErrors } from '../errors.ts'
import { shownValue } from '../plugins/validation-words.ts'
import type { Range } from './times.ts'

/** Widths of windows as they are written: 15m, 6h, 7d. */

const UNITS: Readonly<Record<string, Micros>> = { m: minutes(1), h: hours(1), d: days(1) }

/** @returns Undefined where the text is no width. */
export function widthMicros(width: string): Micros | undefined {
  const [, count, unit] = /^([1-9]\d{0,5})([mhd])$/.exec(width) ?? []
  return count === undefined ? undefined : Number(count) * UNITS[unit!]!
}

/** @throws api.badQuery where it is none. */
export function checkWidth(width: string | undefined): void {
  // Months have no length of their own.
  if (width === undefined || width === '1mo' || widthMicros(width) !== undefined) return
  const remedy = 'give a width such as 1m, 15m or 1h'
  throw apiErrors.badQuery({ field: 'width', value: shownValue(width), remedy })
}

const MULTIPLES = ['2h', '3h', '6h', '12h', '1d', '2d', '7d', '14d', '30d', '60d', '120d', '240d']
/** From `1h` on hours are combined; the last fits all of time into two points. */
const COMBINED = [...MULTIPLES, '480d', '960d', '1920d', '3840d', '7680d', '15360d', '61440d']

/** What a table may be charted in: the widths that it holds, then multiples of one of them. */
export interface Ladder {
  readonly held: readonly string[]
  readonly combined: readonly string[]
  /** The held width that combined ones are made of. */
  readonly base: string
}

export const WINDOW_LADDER: Ladder = { held: ['1m', '15m', '1h'], combined: COMBINED, base: '1h' }
export const BASELINE_LADDER: Ladder = { held: ['15m'], combined: ['1h', ...COMBINED], base: '15m' }

function fits(width: string, { from, to }: Range, points: number): boolean {
  return (to - from) / widthMicros(width)! <= points
}

/**
 * The narrowest width that gives at most so many points, or the one that is asked for.
 *
 * @throws api.badQuery where that one is none of the ladder, or gives more points.
 */
export function chartWidth(
  ladder: Ladder,
  query: { width?: string; points: number },
  range: Range,
): string {
  const { width, points } = query
  const all = [...ladder.held, ...ladder.combined]
  const narrowest = all.find((one) => fits(one, range, points)) ?? all.at(-1)!
  if (width === undefined) return narrowest
  const refusal = (remedy: string) =>
    apiErrors.badQuery({ field: 'width', value: shownValue(width), remedy })
  if (!all.includes(width)) throw refusal(`for a chart give one of ${all.join(', ')}`)
  if (fits(width, range, points)) return width
  const wanted = Math.ceil((range.to - range.from) / widthMicros(width)!)
  throw refusal(
    `it makes ${wanted} points of this time, and points is ${points}; give ${narrowest} ` +
      'or wider, or leave width out',
  )
}
