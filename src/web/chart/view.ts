/** The part of time that a chart shows, and how it moves. Times are ms UTC. */
export interface View {
  readonly from: number
  readonly to: number
  /** Whether it moves on with the clock, with `to` as the present. */
  readonly isLive: boolean
}

export const SPAN_MS_MIN = 10_000
const SPAN_MS_MAX = 50 * 366 * 86_400_000
/** How much of the width stays free right of the present, so that what comes is seen to come. */
const AHEAD = 0.02

export const PRESETS = [
  { name: '15 min', spanMs: 900_000 },
  { name: '1 h', spanMs: 3_600_000 },
  { name: '6 h', spanMs: 6 * 3_600_000 },
  { name: '24 h', spanMs: 86_400_000 },
  { name: '7 d', spanMs: 7 * 86_400_000 },
] as const

export const spanOf = ({ from, to }: View) => to - from

/** The last `spanMs` up to the present. */
export function liveView(spanMs: number, nowMs: number): View {
  const to = nowMs + spanMs * AHEAD
  return { from: to - spanMs, to, isLive: true }
}

/** Moves a live view on to the present; others stay. */
export function movedOn(view: View, nowMs: number): View {
  return view.isLive ? liveView(spanOf(view), nowMs) : view
}

/** A view of these bounds, within what can be shown; live where it holds the present. */
export function viewOf(from: number, to: number, nowMs: number): View {
  const span = Math.min(SPAN_MS_MAX, Math.max(SPAN_MS_MIN, to - from))
  const middle = (from + to) / 2
  const start = middle - span / 2
  const view = { from: start, to: start + span, isLive: false }
  // Nothing is to be seen of the future.
  return view.to >= nowMs ? liveView(span, nowMs) : view
}

/**
 * Zooms by `factor` (below 1: in) around `anchor`, which stays where it is on the screen. A live
 * view that is zoomed around the present stays live.
 */
export function zoomed(view: View, factor: number, anchor: number, nowMs: number): View {
  const span = spanOf(view)
  const wanted = Math.min(SPAN_MS_MAX, Math.max(SPAN_MS_MIN, span * factor))
  const share = (anchor - view.from) / span
  if (view.isLive && anchor >= nowMs) return liveView(wanted, nowMs)
  const from = anchor - share * wanted
  return viewOf(from, from + wanted, nowMs)
}

/** Moves by a share of its span: 1 is a whole screen later, -1 earlier. */
export function panned(view: View, share: number, nowMs: number): View {
  const byMs = share * spanOf(view)
  // Only who moves towards the present comes back to it.
  if (share < 0) return { from: view.from + byMs, to: view.to + byMs, isLive: false }
  return viewOf(view.from + byMs, view.to + byMs, nowMs)
}
