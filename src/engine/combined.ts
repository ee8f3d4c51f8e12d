import { type Micros, days } from '../kernel/time.ts'
import { ColumnSet, f64 } from './columns.ts'
import type { ColumnDeclaration } from './columns.ts'
import type { Grid } from './grid.ts'
import type { CombineNode, Pane } from './nodes.ts'
import { addPane, addStored, hasContent, loadPane, PaneView, PANE_FIELDS } from './pane.ts'
import { storePane } from './pane.ts'
import type { Course } from './register.ts'
import type { SeriesTable } from './series.ts'
import { type Emit, holdsOther, nameSeries, nextContent } from './windows.ts'
import type { WidthState, WindowState } from './windows.ts'

const NOMINAL_DAYS = { day: 1, month: 30 } as const

/**
 * A combining node at work: its windows are put together from panes, in their order, one added to
 * what those before it came to. Panes that can still change are computed from samples; of those
 * behind the frozen boundary a subclass keeps what windows that can still change need.
 */
export abstract class CombineState implements WidthState {
  readonly node: CombineNode
  readonly micros: Micros
  readonly step: Micros
  readonly inner: WindowState
  readonly pane: PaneView
  emit: Emit<Pane> = () => undefined
  protected readonly grid: Grid
  protected readonly table: SeriesTable

  constructor(node: CombineNode, inner: WindowState, table: SeriesTable, grid: Grid) {
    const { span } = node
    this.node = node
    this.micros = span.kind === 'calendar' ? days(NOMINAL_DAYS[span.unit]) : span.micros
    this.step = span.kind === 'tumbling' ? span.micros : inner.micros
    this.inner = inner
    this.grid = grid
    this.pane = new PaneView(span.width)
    this.table = table
  }

  /** What is kept of the panes behind the boundary; a new slot's are of no time. */
  abstract readonly kept: ColumnSet<Record<string, ColumnDeclaration>>

  /** Keeps what is needed of the panes in [from, to): from now on they lie behind the boundary. */
  abstract freeze(slot: number, from: Micros, to: Micros, course: Course | null): void

  /** Begins `into` with the panes of a window that lie behind the boundary. */
  protected abstract addFrozen(slot: number, start: Micros, boundary: Micros): void

  /** The first window in [start, before) that has content behind the boundary; or Infinity. */
  protected abstract nextFrozen(slot: number, start: Micros, before: Micros): Micros

  firstHolding(slot: number, time: Micros): Micros {
    return this.grid.firstHolding(slot, time)
  }

  endOf(slot: number, start: Micros): Micros {
    return this.grid.endOf(slot, start)
  }

  following(slot: number, start: Micros): Micros {
    return this.grid.following(slot, start)
  }

  protected boundaryOf(slot: number): Micros {
    return this.table.series.columns.boundary.get(slot)
  }

  compute(slot: number, start: Micros, course: Course | null): PaneView {
    const { pane } = this
    const boundary = this.boundaryOf(slot)
    const end = this.grid.endOf(slot, start)
    pane.begin(start, end)
    nameSeries(pane, this.table, slot)
    // The energy of a register is known to be 0 where nothing runs.
    if (course !== null) pane.energyWh = 0
    if (start < boundary) this.addFrozen(slot, start, boundary)
    this.eachPane(slot, Math.max(start, boundary), end, course, (inner) => addPane(pane, inner))
    pane.finish(this.table.series.columns.expected.get(slot))
    return pane
  }

  /** Computes the panes in [from, to) that have content, ascending. */
  protected eachPane(
    slot: number,
    from: Micros,
    to: Micros,
    course: Course | null,
    visit: (pane: PaneView) => void,
  ): void {
    const { inner } = this
    let at = inner.next(slot, from, course)
    while (at < to) {
      visit(inner.compute(slot, at, course))
      at = inner.next(slot, at + inner.micros, course)
    }
  }

  next(slot: number, start: Micros, course: Course | null): Micros {
    const content = nextContent(this.table, slot, start, course)
    const live = Math.max(start, this.grid.firstHolding(slot, content))
    const boundary = this.boundaryOf(slot)
    if (boundary === -Infinity) return live
    // Where the horizon is shorter than the window, all of its samples may be frozen when it
    // closes.
    return Math.min(live, this.nextFrozen(slot, start, Math.min(live, boundary)))
  }

  holdsOther(slot: number, start: Micros, at: Micros): boolean {
    const boundary = this.boundaryOf(slot)
    if (holdsOther(this.table, slot, start, this.grid.endOf(slot, start), at)) return true
    return start < boundary && this.nextFrozen(slot, start, start + 1) === start
  }
}

/**
 * Windows that follow each other: of the one that the boundary lies in, the sum of the panes behind
 * it is kept, so that a month takes as little state as an hour.
 */
class RunningState extends CombineState {
  readonly kept = new ColumnSet({ partial: f64(PANE_FIELDS, NaN) })
  private readonly part = new PaneView('')

  freeze(slot: number, from: Micros, to: Micros, course: Course | null): void {
    const { part } = this
    const { partial } = this.kept.columns
    const start = this.grid.firstHolding(slot, to)
    if (partial.get(slot) === start) loadPane(part, (i) => partial.get(slot, i))
    else part.begin(start, to)
    this.eachPane(slot, Math.max(from, start), to, course, (pane) => addPane(part, pane))
    storePane(part, (i, value) => partial.set(slot, value, i))
  }

  protected addFrozen(slot: number, start: Micros): void {
    const { partial } = this.kept.columns
    if (partial.get(slot) === start) addStored(this.pane, (i) => partial.get(slot, i))
  }

  protected nextFrozen(slot: number, start: Micros, before: Micros): Micros {
    const { partial } = this.kept.columns
    const found = partial.get(slot)
    if (!(found >= start && found < before)) return Infinity
    return hasContent((i) => partial.get(slot, i)) ? found : Infinity
  }
}

/** Windows that overlap: all panes that lie less than a window behind the boundary are kept. */
class RingState extends CombineState {
  readonly kept: ColumnSet<{ panes: ColumnDeclaration }>
  private readonly panesKept: number

  constructor(node: CombineNode, inner: WindowState, table: SeriesTable, grid: Grid) {
    super(node, inner, table, grid)
    this.panesKept = this.micros / inner.micros
    this.kept = new ColumnSet({ panes: f64(this.panesKept * PANE_FIELDS, NaN) })
  }

  private fieldOf(start: Micros): number {
    const index = Math.round(start / this.inner.micros) % this.panesKept
    return (index < 0 ? index + this.panesKept : index) * PANE_FIELDS
  }

  freeze(slot: number, from: Micros, to: Micros, course: Course | null): void {
    const { panes } = this.kept.columns
    this.eachPane(slot, Math.max(from, to - this.micros), to, course, (pane) => {
      const field = this.fieldOf(pane.start)
      storePane(pane, (i, value) => panes.set(slot, value, field + i))
    })
  }

  protected addFrozen(slot: number, start: Micros, boundary: Micros): void {
    const { panes } = this.kept.columns
    const end = Math.min(boundary, start + this.micros)
    for (let at = start; at < end; at += this.inner.micros) {
      const field = this.fieldOf(at)
      if (panes.get(slot, field) === at) addStored(this.pane, (i) => panes.get(slot, field + i))
    }
  }

  protected nextFrozen(slot: number, start: Micros, before: Micros): Micros {
    const { panes } = this.kept.columns
    const boundary = this.boundaryOf(slot)
    // The first pane that is kept decides: it lies in `start`, or in the first window after it
    // that reaches as far.
    const from = Math.max(start, floorToPane(boundary - this.micros, this.inner.micros))
    for (let at = from; at < boundary; at += this.inner.micros) {
      if (panes.get(slot, this.fieldOf(at)) !== at) continue
      const window = Math.max(start, this.grid.firstHolding(slot, at))
      return window < before ? window : Infinity
    }
    return Infinity
  }
}

function floorToPane(time: Micros, pane: Micros): Micros {
  return Math.floor(time / pane) * pane
}

export function combineState(
  node: CombineNode,
  inner: WindowState,
  table: SeriesTable,
  grid: Grid,
): CombineState {
  const State = node.span.kind === 'hopping' ? RingState : RunningState
  return new State(node, inner, table, grid)
}
