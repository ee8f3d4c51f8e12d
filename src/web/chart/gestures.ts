import { serverNowMs } from '../rest/ask.ts'
import type { Plot } from './plot.ts'
import { type View, panned, spanOf, zoomed } from './view.ts'

/** Wheel and touch. Dragging with a mouse selects, which the plot itself sees to. */

interface Moves {
  readonly view: () => View
  readonly onView: (view: View) => void
}

const LINE_PIXELS = 16
/** A notch of a common wheel, about 100 pixels, zooms by a quarter. */
const ZOOM_PER_PIXEL = 0.0022
const NOTCH_MAX = 240

/** Answers what takes the listeners away again. */
export function bindPointers(plot: Plot, moves: Moves): () => void {
  const { over } = plot
  const onWheel = (event: WheelEvent) => {
    event.preventDefault()
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PIXELS : 1
    const isSideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)
    const delta = (isSideways ? event.deltaX || event.deltaY : event.deltaY) * unit
    const bounded = Math.max(-NOTCH_MAX, Math.min(NOTCH_MAX, delta))
    const view = moves.view()
    const now = serverNowMs()
    if (isSideways) moves.onView(panned(view, bounded / over.clientWidth, now))
    else {
      const factor = Math.exp(bounded * ZOOM_PER_PIXEL)
      moves.onView(zoomed(view, factor, plot.timeAt(event.clientX), now))
    }
  }
  over.addEventListener('wheel', onWheel, { passive: false })
  const unbindTouch = bindTouch(plot, moves)
  return () => {
    over.removeEventListener('wheel', onWheel)
    unbindTouch()
  }
}

/** One finger moves through time, two zoom. */
function bindTouch(plot: Plot, moves: Moves): () => void {
  const { over } = plot
  let start: { view: View; at: number; distance: number } | undefined
  const middleOf = ({ touches }: TouchEvent) =>
    (touches[0]!.clientX + (touches[1] ?? touches[0]!).clientX) / 2
  const distanceOf = ({ touches }: TouchEvent) =>
    touches.length < 2 ? 0 : Math.abs(touches[0]!.clientX - touches[1]!.clientX)
  const begin = (event: TouchEvent) => {
    start =
      event.touches.length === 0
        ? undefined
        : { view: moves.view(), at: plot.timeAt(middleOf(event)), distance: distanceOf(event) }
  }
  const move = (event: TouchEvent) => {
    if (start === undefined) return
    const now = serverNowMs()
    const { left, width } = over.getBoundingClientRect()
    const distance = distanceOf(event)
    const factor = start.distance > 0 && distance > 0 ? start.distance / distance : 1
    const span = spanOf(start.view) * factor
    // What was under the fingers stays under them.
    const from = start.at - ((middleOf(event) - left) / width) * span
    const scaled = { from, to: from + span, isLive: false }
    moves.onView(panned(scaled, 0, now))
  }
  over.addEventListener('touchstart', begin, { passive: true })
  over.addEventListener('touchmove', move, { passive: true })
  over.addEventListener('touchend', begin, { passive: true })
  return () => {
    over.removeEventListener('touchstart', begin)
    over.removeEventListener('touchmove', move)
    over.removeEventListener('touchend', begin)
  }
}
