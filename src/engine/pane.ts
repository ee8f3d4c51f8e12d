import type { Micros } from '../kernel/time.ts'
import type { Pane } from './nodes.ts'

/** The one pane object that a window node hands down; filled anew for each window. */
export class PaneView implements Pane {
  tenant = ''
  meterId = ''
  channel = ''
  readonly width: string
  start: Micros = 0
  end: Micros = 0
  count = 0
  expected = NaN
  completeness = NaN
  sum = NaN
  min = NaN
  max = NaN
  mean = NaN
  first = NaN
  last = NaN
  stddev = NaN
  energyWh = NaN
  estimated = false
  revision = 0
  restated = false
  cumulative = false
  /** Whether energy is known in the window, be it 0: then it has a row without a sample too. */
  energyKnown = false
  /** Sum of squared distances from the mean: what panes are put together by. */
  squares = 0

  constructor(width: string) {
    this.width = width
  }

  begin(start: Micros, end: Micros): void {
    this.start = start
    this.end = end
    this.count = 0
    this.sum = this.squares = 0
    this.min = Infinity
    this.max = -Infinity
    this.first = this.last = NaN
    this.energyWh = NaN
    this.estimated = false
    this.energyKnown = false
  }

  /** Whether there is anything to say of the window. */
  get hasContent(): boolean {
    return this.count > 0 || this.energyKnown
  }

  /** Completes what follows from the sums. Numbers without a sample become NaN. */
  finish(expectedInterval: Micros): void {
    const { count } = this
    if (count === 0) {
      this.sum = this.min = this.max = this.mean = this.stddev = NaN
    } else {
      this.mean = this.sum / count
      this.stddev = count < 2 ? NaN : Math.sqrt(this.squares / (count - 1))
    }
    this.expected = (this.end - this.start) / expectedInterval
    this.completeness = Math.min(1, count / this.expected)
  }
}

/** Numbers of a pane that a larger window needs. */
export const PANE_FIELDS = 11

/** Lays a pane out as numbers, and back. NaN marks what is not known. */
export function storePane(pane: PaneView, set: (field: number, value: number) => void): void {
  set(0, pane.start)
  set(1, pane.count)
  set(2, pane.sum)
  set(3, pane.min)
  set(4, pane.max)
  set(5, pane.first)
  set(6, pane.last)
  set(7, pane.squares)
  set(8, pane.energyWh)
  set(9, pane.estimated ? 1 : 0)
  set(10, pane.energyKnown ? 1 : 0)
}

/** Fills a pane with what was stored; what follows from the sums is not known yet. */
export function loadPane(pane: PaneView, get: (field: number) => number): void {
  pane.start = get(0)
  pane.count = get(1)
  pane.sum = get(2)
  pane.min = get(3)
  pane.max = get(4)
  pane.first = get(5)
  pane.last = get(6)
  pane.squares = get(7)
  pane.energyWh = get(8)
  pane.estimated = get(9) === 1
  pane.energyKnown = get(10) === 1
}

/** Whether a stored pane has anything to say. */
export function hasContent(get: (field: number) => number): boolean {
  return get(1) > 0 || get(10) === 1
}

const stored = new PaneView('')

/** Adds a stored pane to a larger one. */
export function addStored(into: PaneView, get: (field: number) => number): void {
  loadPane(stored, get)
  addPane(into, stored)
}

/** Adds a pane to a larger one. Moments by Chan, Golub and LeVeque 1983. */
export function addPane(into: PaneView, pane: PaneView): void {
  const { count, energyWh } = pane
  if (!isNaN(energyWh)) into.energyWh = isNaN(into.energyWh) ? energyWh : into.energyWh + energyWh
  into.estimated ||= pane.estimated
  into.energyKnown ||= pane.energyKnown
  if (count === 0) return
  const before = into.count
  if (before === 0) {
    into.first = pane.first
    into.squares = pane.squares
  } else {
    const distance = pane.sum / count - into.sum / before
    into.squares += pane.squares + (distance * distance * before * count) / (before + count)
  }
  into.count = before + count
  into.sum += pane.sum
  into.min = Math.min(into.min, pane.min)
  into.max = Math.max(into.max, pane.max)
  into.last = pane.last
}
