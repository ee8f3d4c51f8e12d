import uPlot from 'uplot'
import { scaleOf } from '../text/numbers.ts'
import { type Picture, extentOf, valueRange } from './compose.ts'
import { lonePoints } from './line.ts'
import { COLOURS, type Colours, paintOver, paintUnder } from './paint.ts'
import { stepFor, tickTexts, ticksIn } from './ticks.ts'

/** The chart on its canvas: it shows a picture, and tells what is pointed at or selected. */

export interface PlotEvents {
  /** A stretch was selected by dragging, ms. */
  readonly selected: (from: number, to: number) => void
  readonly doubleClicked: () => void
  /** What is pointed at, ms, and where that is on the plot; undefined: nothing. */
  readonly pointed: (at: number | undefined, left: number, top: number) => void
  /** The unit of the value axis has changed, with its prefix. */
  readonly scaled: (unit: string) => void
}

export interface Shown {
  readonly picture: Picture
  readonly from: number
  readonly to: number
  readonly unit: string
  readonly zone: string
}

const MARK_PIXELS = 92
const FONT = '12px system-ui, sans-serif'

export class Plot {
  private readonly u: uPlot
  private readonly events: PlotEvents
  private colours: Colours
  private shown: Shown

  constructor(box: HTMLElement, shown: Shown, colours: Colours, events: PlotEvents) {
    this.shown = shown
    this.colours = colours
    this.events = events
    const size = { width: box.clientWidth, height: box.clientHeight }
    this.u = new uPlot(this.options(size), dataOf(shown.picture), box)
  }

  show(shown: Shown): void {
    const { picture } = this.shown
    this.shown = shown
    if (shown.picture !== picture) this.u.setData(dataOf(shown.picture), false)
    // The scales ask for their ranges anew.
    this.u.batch(() => {
      this.u.setScale('x', { min: shown.from, max: shown.to })
      this.u.redraw(false, true)
    })
  }

  recolour(colours: Colours): void {
    this.colours = colours
    this.u.redraw(false, false)
  }

  resize(width: number, height: number): void {
    if (width > 0 && height > 0) this.u.setSize({ width, height })
  }

  /** The time under a position on the page. */
  timeAt(clientX: number): number {
    const { left } = this.u.over.getBoundingClientRect()
    return this.u.posToVal(clientX - left, 'x')
  }

  /** Points at a time, as the pointer does. */
  pointAt(at: number): void {
    const left = this.u.valToPos(at, 'x')
    this.u.setCursor({ left, top: this.u.over.clientHeight / 3 })
  }

  get over(): HTMLElement {
    return this.u.over
  }

  destroy(): void {
    this.u.destroy()
  }

  private options(size: { width: number; height: number }): uPlot.Options {
    return {
      ...size,
      ...{ legend: { show: false }, padding: [26, 8, 0, 0] },
      cursor: {
        drag: { x: true, y: false, setScale: false, dist: 6 },
        bind: { dblclick: () => () => (this.events.doubleClicked(), null) },
        points: { size: 7, stroke: () => this.colours.surface, fill: () => this.colours.line },
        y: false,
      },
      scales: {
        x: { time: false, range: () => [this.shown.from, this.shown.to] },
        y: { range: () => this.valueRange() },
      },
      axes: [this.timeAxis(), this.valueAxis()],
      series: this.series(),
      hooks: {
        drawClear: [(u) => paintUnder({ u, ctx: u.ctx, ...this.painted })],
        draw: [(u) => paintOver({ u, ctx: u.ctx, ...this.painted })],
        setCursor: [(u) => this.tellPointed(u)],
        setSelect: [(u) => this.tellSelected(u)],
      },
    }
  }

  private get painted() {
    return { picture: this.shown.picture, colours: this.colours }
  }

  private valueRange(): [number, number] {
    const { picture, from, to } = this.shown
    return valueRange(extentOf(picture, from, to), picture.isBars)
  }

  private series(): uPlot.Series[] {
    const points = (index: number): uPlot.Series.Points => ({
      size: 5,
      fill: () => this.colours.line,
      filter: (u) => {
        const y = u.data[index] as (number | null)[]
        return this.shown.picture.isBars ? [] : lonePoints({ x: [], y }, ...u.series[0]!.idxs!)
      },
    })
    const bars = uPlot.paths.bars!({ size: [0.82, 64], radius: 0.1 })
    const line = uPlot.paths.linear!()
    return [
      {},
      {
        stroke: () => this.colours.line,
        fill: () => (this.shown.picture.isBars ? this.colours['line-soft'] : 'transparent'),
        width: 1.6,
        paths: (u, index, from, to) =>
          (this.shown.picture.isBars ? bars : line)(u, index, from, to) ?? null,
        points: points(1),
      },
      { stroke: () => this.colours.tail, width: 1.2, points: points(2) },
    ]
  }

  private timeAxis(): uPlot.Axis {
    const stepOf = (u: uPlot) => {
      const { from, to } = this.shown
      return stepFor(to - from, Math.max(2, Math.floor(u.over.clientWidth / MARK_PIXELS)))
    }
    return {
      ...{ stroke: () => this.colours.muted, font: FONT, size: 46, gap: 7 },
      grid: { stroke: () => this.colours.grid, width: 1 },
      ticks: { stroke: () => this.colours.grid, width: 1, size: 5 },
      splits: (u) => ticksIn(this.shown.from, this.shown.to, stepOf(u), this.shown.zone),
      values: (u, splits) =>
        tickTexts(splits, stepOf(u), this.shown.zone).map(({ clock, day }) =>
          day === '' ? clock : `${clock}\n${day}`,
        ),
    }
  }

  private valueAxis(): uPlot.Axis {
    return {
      ...{ stroke: () => this.colours.muted, font: FONT, size: 58, gap: 8, space: 44 },
      grid: { stroke: () => this.colours.grid, width: 1 },
      ticks: { show: false },
      values: (_u, splits) => {
        const { texts, unit } = scaleOf(splits, this.shown.unit)
        this.events.scaled(unit)
        return [...texts]
      },
    }
  }

  private tellPointed(u: uPlot): void {
    const { left, top } = u.cursor
    if (left === undefined || top === undefined || left < 0) this.events.pointed(undefined, 0, 0)
    else this.events.pointed(u.posToVal(left, 'x'), left + u.over.offsetLeft, top)
  }

  private tellSelected(u: uPlot): void {
    const { left, width } = u.select
    if (width < 6) return
    const [from, to] = [u.posToVal(left, 'x'), u.posToVal(left + width, 'x')]
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
    this.events.selected(from, to)
  }
}

export { COLOURS }

function dataOf({ line, tail }: Picture): uPlot.AlignedData {
  // The tail begins where the windows end: one x for both, each empty where the other is.
  const none = (count: number) => Array.from({ length: count }, () => null)
  return [
    [...line.x, ...tail.x],
    [...line.y, ...none(tail.x.length)],
    [...none(line.x.length), ...tail.y],
  ]
}
