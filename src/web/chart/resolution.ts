import { widthMs } from './instant.ts'

/** What a chart is drawn from: readings as they came, or windows of one width. */
export type Resolution =
  | { readonly kind: 'raw' }
  /** The narrowest width that gives at most `points`. */
  | { readonly kind: 'fitting'; readonly points: number }
  | { readonly kind: 'width'; readonly width: string }

/** The widths that are stored and that the feed tells of; wider ones are made when asked for. */
export const HELD_WIDTHS = ['1m', '15m', '1h'] as const

export const isHeld = (width: string) => HELD_WIDTHS.some((held) => held === width)

/** What a person may choose; `auto` chooses by the span. */
export const WIDTHS = ['auto', 'raw', '1m', '15m', '1h', '1d'] as const
export type WidthChoice = (typeof WIDTHS)[number]

/** Up to this span readings are shown one by one. */
export const RAW_SPAN_MS_MAX = 2 * 3_600_000
/** More points than this are neither fetched nor drawn. */
export const POINTS_MAX = 20_000

export interface ChartNeeds {
  readonly choice: WidthChoice
  readonly spanMs: number
  /** How wide the plot is on the screen. */
  readonly pixels: number
  /** The seconds between readings, where they are known. */
  readonly intervalS: number | null
  /** Whether the channel is one of energy, which is shown by windows: a register only rises. */
  readonly isEnergy: boolean
}

/** The resolution, and why it is another than was chosen. */
export function resolutionFor(needs: ChartNeeds): { resolution: Resolution; note?: string } {
  const { choice, spanMs, pixels, intervalS, isEnergy } = needs
  const fitting = { kind: 'fitting', points: Math.max(2, Math.round(pixels)) } as const
  if (choice === 'auto') {
    const isShort = spanMs <= RAW_SPAN_MS_MAX && !isEnergy
    return { resolution: isShort ? { kind: 'raw' } : fitting }
  }
  const points = choice === 'raw' ? spanMs / 1_000 / (intervalS ?? 1) : spanMs / widthMs(choice)
  if (points > POINTS_MAX) {
    const name = choice === 'raw' ? 'readings' : `windows of ${choice}`
    const many = Math.round(points).toLocaleString('en-GB')
    return { resolution: fitting, note: `Zoom in to see ${name}: these are about ${many}.` }
  }
  if (choice === 'raw') return { resolution: { kind: 'raw' } }
  return { resolution: { kind: 'width', width: choice } }
}

export function sameResolution(a: Resolution, b: Resolution): boolean {
  if (a.kind === 'fitting' && b.kind === 'fitting') return a.points === b.points
  if (a.kind === 'width' && b.kind === 'width') return a.width === b.width
  return a.kind === b.kind
}

/** For a range that is wider than the view: as many points for each pixel. */
export function widened<R extends Resolution>(resolution: R, range: Range, view: Range): R {
  if (resolution.kind !== 'fitting') return resolution
  const share = (range.to - range.from) / (view.to - view.from)
  return { ...resolution, points: Math.max(2, Math.round(resolution.points * share)) }
}

export interface Range {
  readonly from: number
  readonly to: number
}

/** How much is fetched on either side of what is shown, in shares of its span. */
const MARGIN = 0.5

/**
 * The range to fetch so that `view` is covered, with a margin to either side; undefined where
 * `loaded` covers it. Nothing is fetched of the future: it comes by itself.
 */
export function rangeToLoad(
  view: Range,
  loaded: Range | undefined,
  nowMs: number,
): Range | undefined {
  const to = Math.min(view.to, nowMs)
  if (loaded !== undefined && view.from >= loaded.from && to <= loaded.to) return undefined
  const margin = (view.to - view.from) * MARGIN
  return { from: view.from - margin, to: Math.min(view.to + margin, nowMs) }
}
