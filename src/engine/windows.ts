import type { Micros } from '../kernel/time.ts'
import { FixedGrid, floorTo } from './grid.ts'
import type { Grid } from './grid.ts'
import type { Pane, WindowNode } from './nodes.ts'
import { PaneView } from './pane.ts'
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

/** What a width hands to its consumers, and what the restater needs to know of it. */
export interface Emitted {
  /** Whether there is anything to say. */
  readonly hasContent: boolean
  revision: number
  restated: boolean
}

/**
 * Windows of one kind at work: computed from what is known of a series, and handed to `emit`. A
 * window is known by its start.
 */
export interface WidthState extends Grid {
  readonly node: { readonly id: string }
  /** Of two windows of a series that are due at once, the shorter is emitted first. */
  readonly micros: Micros
  /** Windows end on the grid of this. */
  readonly step: Micros
  readonly emit: Emit<never>
  /** Fills the one item of this state. `course` is that of a register, else null. */
  compute(slot: number, start: Micros, course: Course | null): Emitted
  /** The start of the first window at or after `start` that has a sample or energy; or Infinity. */
  next(slot: number, start: Micros, course: Course | null): Micros
  /** Whether the window holds a sample that counts beside the one at `at`. */
  holdsOther(slot: number, start: Micros, at: Micros): boolean
  /** Of what is no window but an item of each sample that looks back at others. */
  readonly items?: Items
}

export interface Items {
  /** The series whose items a change of another series' sample touches; -1: none. */
  readonly target: (slot: number) => number
  /** How long after a sample at `place` the last item may come that looks back at it. */
  readonly spread: (slot: number, place: Micros) => Micros
  /** Whether the sample of an item counts. */
  readonly knew: (slot: number, start: Micros) => boolean
  /** How much longer than for windows the samples of a series are needed. */
  readonly keeps: (slot: number) => Micros
}

/** A window node at work: it computes panes from samples. */
export class WindowState extends FixedGrid implements WidthState {
  readonly node: WindowNode
  readonly micros: Micros
  readonly step: Micros
  readonly pane: PaneView
  emit: Emit<Pane> = () => undefined
  private readonly table: SeriesTable

  constructor(node: WindowNode, table: SeriesTable) {
    super(node.widthMicros, node.widthMicros)
    this.node = node
    this.micros = this.step = node.widthMicros
    this.pane = new PaneView(node.width)
    this.table = table
  }

  compute(slot: number, start: Micros, course: Course | null): PaneView {
    const { pane, table } = this
    const { samples } = table
    const end = start + this.micros
    const shift = table.shiftOf(slot)
    pane.begin(start, end)
    nameSeries(pane, table, slot)
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
      pane.energyKnown = course.nextTime(pane.start) < pane.end
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
    return floorTo(nextContent(this.table, slot, start, course), this.micros)
  }

  holdsOther(slot: number, start: Micros, at: Micros): boolean {
    return holdsOther(this.table, slot, start, start + this.micros, at)
  }
}

/** The first time at or after `start` of a sample that counts or of a part of the course. */
export function nextContent(
  table: SeriesTable,
  slot: number,
  start: Micros,
  course: Course | null,
): Micros {
  const { samples } = table
  const shift = table.shiftOf(slot)
  const count = samples.count(slot)
  let i = samples.lowerBound(slot, start + shift)
  while (i < count && samples.qualityOf(slot, i) === BAD) i++
  const bySample = i < count ? samples.atOf(slot, i) - shift : Infinity
  return course === null ? bySample : Math.min(bySample, course.nextTime(start))
}

/** Whether a sample that counts lies in `[start, end)`, beside the one at `at`. */
export function holdsOther(
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

/** Says whose window a pane is. */
export function nameSeries(pane: PaneView, table: SeriesTable, slot: number): void {
  const meter = table.series.columns.meter.get(slot)
  pane.tenant = table.tenants[meter]!
  pane.meterId = table.meterIds[meter]!
  pane.channel = table.channelOf(slot)
  pane.cumulative = table.isCumulative(slot)
}

export function emptySettled(): Settled {
  return { at: NaN, valueWh: NaN, boundary: -Infinity, givenWh: 0 }
}
