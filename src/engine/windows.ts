import type { Micros } from '../kernel/time.ts'
import { ColumnSet, f64 } from './columns.ts'
import type { CombineNode, Pane, WindowNode } from './nodes.ts'
import { addPane, addStored, hasContent, PaneView, PANE_FIELDS, storePane } from './pane.ts'
import type { Course } from './register.ts'
import type { Settled } from './register.ts'
import type { SeriesTable } from './series.ts'

const BAD = 3

export type Emit<T> = (slot: number, item: T) => void

/** What windows need to know of the record that is being taken in. */
export interface Cause {
  /** epoch and offset of the newest record that contributed. */
  revision: number
  /** What is emitted takes the place of what was emitted before, or may do so. */
  restating: boolean
}

/** Windows of one width at work: computed from what is known of a series, and handed to `emit`. */
export interface WidthState {
  readonly node: WindowNode | CombineNode
  readonly micros: Micros
  emit: Emit<Pane>
  /** Fills the one pane of this width. `course` is that of a register, else null. */
  compute(slot: number, start: Micros, course: Course | null): PaneView
  /** The start of the first window at or after `start` that has a sample or energy; or Infinity. */
  next(slot: number, start: Micros, course: Course | null): Micros
  /** Whether the window holds a sample that counts beside the one at `at`. */
  holdsOther(slot: number, start: Micros, at: Micros): boolean
}

/** A window node at work: it computes panes from samples. */
export class WindowState implements WidthState {
  readonly node: WindowNode
  readonly micros: Micros
  readonly pane: PaneView
  emit: Emit<Pane> = () => undefined
  private readonly table: SeriesTable

  constructor(node: WindowNode, table: SeriesTable) {
    this.node = node
    this.micros = node.widthMicros
    this.pane = new PaneView(node.width)
    this.table = table
  }

  compute(slot: number, start: Micros, course: Course | null): PaneView {
    const { pane, table } = this
    const { samples } = table
    const end = start + this.micros
    const shift = table.shiftOf(slot)
    pane.begin(start, end)
    name(pane, table, slot)
    const count = samples.count(slot)
    const from = samples.lowerBound(slot, start + shift)
    let to = from
    while (to < count && samples.atOf(slot, to) < end + shift) {
      const value = samples.valueOf(slot, to)
      if (samples.qualityOf(slot, to++) === BAD) continue
      if (pane.count++ === 0) pane.first = value
      pane.sum += value
      if (value < pane.min) pane.min = value
      if (value > pane.max) pane.max = value
      pane.last = value
    }
    if (pane.count > 1) {
      const mean = pane.sum / pane.count
      for (let i = from; i < to; i++) {
        if (samples.qualityOf(slot, i) === BAD) continue
        pane.squares += (samples.valueOf(slot, i) - mean) ** 2
      }
    }
    this.energy(slot, from, to, course)
    pane.finish(table.series.columns.expected.get(slot))
    return pane
  }

  private energy(slot: number, from: number, to: number, course: Course | null): void {
    const { pane, table } = this
    if (course !== null) {
      pane.energyWh = course.energyIn(pane.start, pane.end)
      pane.estimated = course.estimatedIn(pane.start, pane.end)
      pane.energyKnown = course.nextWindow(pane.start, this.micros) === pane.start
      return
    }
    const wattHours = table.series.columns.wattHours.get(slot)
    if (!table.isInterval(slot) || isNaN(wattHours) || pane.count === 0) return
    let energy = 0
    for (let i = from; i < to; i++) {
      if (table.samples.qualityOf(slot, i) !== BAD) {
        energy += table.samples.valueOf(slot, i) * wattHours
      }
    }
    pane.energyWh = energy
  }

  next(slot: number, start: Micros, course: Course | null): Micros {
    return nextWindow(this.table, slot, start, this.micros, course)
  }

  holdsOther(slot: number, start: Micros, at: Micros): boolean {
    return holdsOther(this.table, slot, start, start + this.micros, at)
  }
}

/**
 * A combining node at work. Panes that can still change are computed from samples; of the one
 * window that the frozen boundary lies in, the panes behind it are kept as they were when they
 * froze.
 */
export class CombineState implements WidthState {
  readonly node: CombineNode
  readonly micros: Micros
  readonly pane: PaneView
  readonly inner: WindowState
  emit: Emit<Pane> = () => undefined
  private readonly kept: number
  /** The panes that are kept; a new slot's are of no time. */
  readonly set: ColumnSet<{ panes: ReturnType<typeof f64> }>
  private readonly table: SeriesTable

  constructor(node: CombineNode, inner: WindowState, table: SeriesTable) {
    this.node = node
    this.micros = node.widthMicros
    this.inner = inner
    this.pane = new PaneView(node.width)
    this.table = table
    this.kept = this.micros / inner.micros
    this.set = new ColumnSet({ panes: f64(this.kept * PANE_FIELDS, NaN) })
  }

  private fieldOf(start: Micros): number {
    const index = Math.round(start / this.inner.micros) % this.kept
    return (index < 0 ? index + this.kept : index) * PANE_FIELDS
  }

  /** Keeps the panes in [from, to) that the window in which `to` lies is to remember. */
  freeze(slot: number, from: Micros, to: Micros, course: Course | null): void {
    const { inner } = this
    const { panes } = this.set.columns
    let start = Math.max(from, Math.floor(to / this.micros) * this.micros)
    for (; start < to; start += inner.micros) {
      const pane = inner.compute(slot, start, course)
      const field = this.fieldOf(start)
      storePane(pane, (i, value) => panes.set(slot, value, field + i))
    }
  }

  compute(slot: number, start: Micros, course: Course | null): PaneView {
    const { pane, inner } = this
    const { panes } = this.set.columns
    const boundary = this.table.series.columns.boundary.get(slot)
    pane.begin(start, start + this.micros)
    name(pane, this.table, slot)
    for (let at = start; at < pane.end; at += inner.micros) {
      if (at >= boundary) {
        addPane(pane, inner.compute(slot, at, course))
        continue
      }
      const field = this.fieldOf(at)
      if (panes.get(slot, field) === at) addStored(pane, (i) => panes.get(slot, field + i))
    }
    pane.finish(this.table.series.columns.expected.get(slot))
    return pane
  }

  next(slot: number, start: Micros, course: Course | null): Micros {
    const live = nextWindow(this.table, slot, start, this.micros, course)
    const boundary = this.table.series.columns.boundary.get(slot)
    if (boundary === -Infinity) return live
    // Where the horizon is shorter than the window, all of its samples may be frozen when it
    // closes.
    const whole = Math.floor(boundary / this.micros) * this.micros
    return whole >= start && whole < live && this.remembers(slot, whole, boundary) ? whole : live
  }

  holdsOther(slot: number, start: Micros, at: Micros): boolean {
    const boundary = this.table.series.columns.boundary.get(slot)
    if (holdsOther(this.table, slot, start, start + this.micros, at)) return true
    return start < boundary && this.remembers(slot, start, boundary)
  }

  private remembers(slot: number, start: Micros, boundary: Micros): boolean {
    const { panes } = this.set.columns
    for (let at = start; at < boundary; at += this.inner.micros) {
      const field = this.fieldOf(at)
      if (panes.get(slot, field) === at && hasContent((i) => panes.get(slot, field + i)))
        return true
    }
    return false
  }
}

/**
 * The first window of a width at or after `start` that has a sample that counts, or a part of the
 * course.
 */
function nextWindow(
  table: SeriesTable,
  slot: number,
  start: Micros,
  micros: Micros,
  course: Course | null,
): Micros {
  const { samples } = table
  const shift = table.shiftOf(slot)
  const count = samples.count(slot)
  let i = samples.lowerBound(slot, start + shift)
  while (i < count && samples.qualityOf(slot, i) === BAD) i++
  const bySample =
    i < count ? Math.floor((samples.atOf(slot, i) - shift) / micros) * micros : Infinity
  return course === null ? bySample : Math.min(bySample, course.nextWindow(start, micros))
}

function holdsOther(
  table: SeriesTable,
  slot: number,
  start: Micros,
  end: Micros,
  at: Micros,
): boolean {
  const { samples } = table
  const shift = table.shiftOf(slot)
  const count = samples.count(slot)
  for (let i = samples.lowerBound(slot, start + shift); i < count; i++) {
    const other = samples.atOf(slot, i)
    if (other >= end + shift) return false
    if (other !== at && samples.qualityOf(slot, i) !== BAD) return true
  }
  return false
}

function name(pane: PaneView, table: SeriesTable, slot: number): void {
  const meter = table.series.columns.meter.get(slot)
  pane.tenant = table.tenants[meter]!
  pane.meterId = table.meterIds[meter]!
  pane.channel = table.channelOf(slot)
  pane.cumulative = table.isCumulative(slot)
}

export function emptySettled(): Settled {
  return { at: NaN, valueWh: NaN, boundary: -Infinity, givenWh: 0 }
}
