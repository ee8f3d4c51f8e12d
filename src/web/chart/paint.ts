import type uPlot from 'uplot'
import type { Picture } from './compose.ts'

/** What is drawn on the canvas beside the line: bands, envelopes, marks. */

export const COLOURS = [
  ...(['line', 'line-soft', 'tail', 'band', 'centre', 'grid', 'muted', 'text', 'surface'] as const),
  ...(['mark-high', 'mark-medium', 'mark-ground', 'fair', 'poor', 'accent'] as const),
] as const
export type Colours = Readonly<Record<(typeof COLOURS)[number], string>>

interface Place {
  readonly u: uPlot
  readonly ctx: CanvasRenderingContext2D
  readonly picture: Picture
  readonly colours: Colours
}

const xOf = (u: uPlot, at: number) => u.valToPos(at, 'x', true)
const yOf = (u: uPlot, value: number) => u.valToPos(value, 'y', true)
const isSeen = (u: uPlot) => (span: { readonly from: number; readonly to: number }) =>
  span.to >= (u.scales['x']?.min ?? 0) && span.from <= (u.scales['x']?.max ?? 0)

/** Keeps what is drawn within the plot. */
function clipped({ u, ctx }: Place, draw: () => void): void {
  const { left, top, width, height } = u.bbox
  ctx.save()
  ctx.beginPath()
  ctx.rect(left, top, width, height)
  ctx.clip()
  draw()
  ctx.restore()
}

/** Under the line. */
export function paintUnder(place: Place): void {
  clipped(place, () => {
    paintMarkGrounds(place)
    paintBands(place)
    paintEnvelope(place)
  })
}

/** Over the line. */
export function paintOver(place: Place): void {
  clipped(place, () => {
    paintCompleteness(place)
    paintMarks(place)
    paintNewest(place)
  })
}

function paintMarkGrounds({ u, ctx, picture, colours }: Place): void {
  const { top, height } = u.bbox
  ctx.fillStyle = colours['mark-ground']
  for (const { from, to } of picture.marks.filter(isSeen(u))) {
    const x = xOf(u, from)
    ctx.fillRect(x, top, Math.max(1, xOf(u, to) - x), height)
  }
}

function paintBands({ u, ctx, picture, colours }: Place): void {
  const bands = picture.bands.filter(isSeen(u))
  ctx.fillStyle = colours.band
  for (const { from, to, lower, upper } of bands) {
    if (lower === null || upper === null) continue
    const [x, y] = [Math.round(xOf(u, from)), yOf(u, upper)]
    ctx.fillRect(x, y, Math.round(xOf(u, to)) - x, yOf(u, lower) - y)
  }
  ctx.strokeStyle = colours.centre
  ctx.lineWidth = devicePixelRatio
  ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio])
  ctx.beginPath()
  for (const { from, to, centre } of bands) {
    if (centre === null) continue
    const y = yOf(u, centre)
    ctx.moveTo(xOf(u, from), y)
    ctx.lineTo(xOf(u, to), y)
  }
  ctx.stroke()
  ctx.setLineDash([])
}

/** From the least to the greatest sample of each window. */
function paintEnvelope({ u, ctx, picture, colours }: Place): void {
  ctx.fillStyle = colours['line-soft']
  for (const { from, to, min, max } of picture.panes.filter(isSeen(u))) {
    if (min === null || max === null) continue
    const [x, y] = [Math.round(xOf(u, from)), yOf(u, max)]
    const width = Math.max(1, Math.round(xOf(u, to)) - x)
    ctx.fillRect(x, y, width, Math.max(1, yOf(u, min) - y))
  }
}

/** Windows that lack samples have a bar at the foot of the chart. */
function paintCompleteness({ u, ctx, picture, colours }: Place): void {
  const { top, height } = u.bbox
  const size = 4 * devicePixelRatio
  for (const { from, to, completeness } of picture.panes.filter(isSeen(u))) {
    if (completeness === null || completeness >= 0.99) continue
    ctx.fillStyle = completeness >= 0.9 ? colours.fair : colours.poor
    const x = xOf(u, from)
    ctx.fillRect(x, top + height - size, Math.max(1, xOf(u, to) - x), size)
  }
}

function paintMarks({ u, ctx, picture, colours }: Place): void {
  const size = 5.5 * devicePixelRatio
  for (const { from, to, value, isHigh, isRun } of picture.marks.filter(isSeen(u))) {
    const [x0, x1] = [xOf(u, from), xOf(u, to)]
    ctx.fillStyle = isHigh ? colours['mark-high'] : colours['mark-medium']
    // A run is a bar along the top, so that its windows are seen to belong together.
    if (isRun) {
      ctx.fillRect(x0, u.bbox.top, Math.max(2, x1 - x0), 4 * devicePixelRatio)
      continue
    }
    const [x, y] = [(x0 + x1) / 2, value === null ? u.bbox.top + 3 * size : yOf(u, value)]
    ctx.strokeStyle = colours.surface
    ctx.lineWidth = 2 * devicePixelRatio
    ctx.beginPath()
    if (isHigh) triangle(ctx, x, y, size)
    else diamond(ctx, x, y, size)
    ctx.closePath()
    ctx.stroke()
    ctx.fill()
  }
}

function triangle(ctx: CanvasRenderingContext2D, x: number, y: number, size: number): void {
  ctx.moveTo(x, y - size)
  ctx.lineTo(x + size, y + size * 0.8)
  ctx.lineTo(x - size, y + size * 0.8)
}

function diamond(ctx: CanvasRenderingContext2D, x: number, y: number, size: number): void {
  ctx.moveTo(x, y - size)
  ctx.lineTo(x + size, y)
  ctx.lineTo(x, y + size)
  ctx.lineTo(x - size, y)
}

/** The newest value has a point of its own. */
function paintNewest({ u, ctx, picture, colours }: Place): void {
  if (picture.isBars) return
  const { x, y } = picture.tail.x.length > 0 ? picture.tail : picture.line
  const [at, value] = [x.at(-1), y.at(-1)]
  if (at === undefined || value === undefined || value === null) return
  ctx.fillStyle = colours.line
  ctx.strokeStyle = colours.surface
  ctx.lineWidth = 2 * devicePixelRatio
  ctx.beginPath()
  ctx.arc(xOf(u, at), yOf(u, value), 4 * devicePixelRatio, 0, 2 * Math.PI)
  ctx.stroke()
  ctx.fill()
}
