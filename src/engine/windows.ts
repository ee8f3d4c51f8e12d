import type { Micros } from '../kernel/time.ts'
import { Column, f64 } from './columns.ts'
import type { CombineNode, Pane, WindowNode } from './nodes.ts'
import { addPane, PaneView, PANE_FIELDS, storePane } from './pane.ts'
import { Course } from './register.ts'
import type { Settled } from './register.ts'
import type { SeriesTable } from './series.ts'

const BAD = 3

export type Emit<T> = (slot: number, item: T) => void

/** What windows need to know of the record that is being taken in. */
export interface Cause {
  /** epoch and offset of the newest record that contributed. */
  revision: number
}

/** A window node at work: it computes panes from samples, and hands them to `emit`. */
export class WindowState {
  readonly node: WindowNode
  readonly micros: Micros
  readonly pane: PaneView
  readonly combines: CombineState[] = []
  emit: Emit<Pane> = () => undefined
  private readonly table: SeriesTable

  constructor(node: WindowNode, table: SeriesTable) {
    this.node = node
    this.micros = node.widthMicros
    this.pane = new PaneView(node.width)
    this.table = table
  }

  /** Computes the window that begins at `start` into `pane`. `course` is that of a register, else null. */
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
    const mean = pane.sum / pane.count
    for (let i = from; i < to; i++) {
      if (samples.qualityOf(slot, i) !== BAD) pane.squares += (samples.valueOf(slot, i) - mean) ** 2
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

  /** Closes the windows that end in (before, after], ascending. */
  close(slot: number, before: Micros, after: Micros, course: Course | null, cause: Cause): void {
    const { micros } = this
    const upTo = Math.floor(after / micros) * micros
    let start = this.next(slot, Math.floor(before / micros) * micros, course)
    while (start + micros <= upTo) {
      for (const combine of this.combines) combine.closeBefore(slot, start, cause)
      const pane = this.compute(slot, start, course)
      pane.restated = false
      pane.revision = cause.revision
      for (const combine of this.combines) combine.keep(slot, pane)
      this.emit(slot, pane)
      start = this.next(slot, start + micros, course)
    }
    for (const combine of this.combines) combine.closeBefore(slot, after, cause)
  }

  /** The first window at or after `start` that has a sample that counts or a part of the course. */
  private next(slot: number, start: Micros, course: Course | null): Micros {
    const { samples } = this.table
    const shift = this.table.shiftOf(slot)
    const count = samples.count(slot)
    let i = samples.lowerBound(slot, start + shift)
    while (i < count && samples.qualityOf(slot, i) === BAD) i++
    const place = i < count ? samples.atOf(slot, i) - shift : Infinity
    const bySample = place === Infinity ? Infinity : Math.floor(place / this.micros) * this.micros
    return course === null ? bySample : Math.min(bySample, course.nextWindow(start, this.micros))
  }

  /** Keeps a changed pane for the larger windows, before it is emitted again. */
  refresh(slot: number, start: Micros, course: Course | null): void {
    if (this.combines.length === 0) return
    const pane = this.compute(slot, start, course)
    for (const combine of this.combines) combine.keep(slot, pane)
  }

  restate(slot: number, start: Micros, course: Course | null, revision: number): void {
    const pane = this.compute(slot, start, course)
    pane.restated = true
    pane.revision = revision
    this.emit(slot, pane)
  }
}

/** A combining node at work: it keeps the panes of its input as long as they can be restated. */
export class CombineState {
  readonly node: CombineNode
  readonly micros: Micros
  readonly pane: PaneView
  emit: Emit<Pane> = () => undefined
  private readonly inner: Micros
  private readonly ring: number
  private readonly panes: Column
  /** The window that has panes and has not closed; NaN where there is none. */
  private readonly open = new Column(f64())
  private readonly table: SeriesTable

  constructor(node: CombineNode, horizon: Micros, table: SeriesTable) {
    this.node = node
    this.micros = node.widthMicros
    this.inner = node.input.widthMicros
    this.pane = new PaneView(node.width)
    this.table = table
    // Panes of one window back behind the horizon, the one that is open, and the ones under way.
    this.ring = Math.ceil((horizon + 2 * this.micros) / this.inner) + 2
    this.panes = new Column(f64(this.ring * PANE_FIELDS))
  }

  grow(slots: number): void {
    this.panes.grow(slots)
    this.open.grow(slots)
  }

  begin(slot: number): void {
    this.panes.fill(slot, NaN)
    this.open.set(slot, NaN)
  }

  get bytes(): number {
    return this.panes.bytes + this.open.bytes
  }

  private fieldOf(start: Micros): number {
    const index = Math.round(start / this.inner) % this.ring
    return (index < 0 ? index + this.ring : index) * PANE_FIELDS
  }

  keep(slot: number, pane: PaneView): void {
    const field = this.fieldOf(pane.start)
    storePane(pane, (i, value) => this.panes.set(slot, value, field + i))
    const start = Math.floor(pane.start / this.micros) * this.micros
    const open = this.open.get(slot)
    // A late pane of a window that has closed does not open it again: restating is another way.
    if (isNaN(open) && start >= this.closedUpTo(slot)) this.open.set(slot, start)
  }

  private closedUpTo(slot: number): Micros {
    const { meters, series } = this.table
    const meter = series.columns.meter.get(slot)
    const watermark = meters.columns.newestAt.get(meter) - meters.columns.disorder.get(meter)
    return Math.floor(watermark / this.micros) * this.micros
  }

  /** Closes the open window where it ends at or before `time`. */
  closeBefore(slot: number, time: Micros, cause: Cause): void {
    const start = this.open.get(slot)
    if (isNaN(start) || start + this.micros > time) return
    this.open.set(slot, NaN)
    const pane = this.compute(slot, start)
    pane.restated = false
    pane.revision = cause.revision
    if (pane.count > 0 || !isNaN(pane.energyWh)) this.emit(slot, pane)
  }

  private compute(slot: number, start: Micros): PaneView {
    const { pane, panes } = this
    pane.begin(start, start + this.micros)
    name(pane, this.table, slot)
    for (let at = start; at < pane.end; at += this.inner) {
      const field = this.fieldOf(at)
      if (panes.get(slot, field) === at) addPane(pane, (i) => panes.get(slot, field + i))
    }
    pane.finish(this.table.series.columns.expected.get(slot))
    return pane
  }

  restate(slot: number, start: Micros, revision: number): void {
    const pane = this.compute(slot, start)
    pane.restated = true
    pane.revision = revision
    this.emit(slot, pane)
  }
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
