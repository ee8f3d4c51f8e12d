import type { Micros } from '../../kernel/time.ts'
import { ColumnSet, f64 } from '../columns.ts'
import type { ColumnDeclaration } from '../columns.ts'
import type { CombineState } from '../combined.ts'
import type { SeriesTable } from '../series.ts'
import type { RepairRequests } from './requests.ts'

/** The name of the column of windows that are computed from samples, and of hours. */
const WINDOWS = 'windows'

export interface UnsettledOptions {
  readonly table: SeriesTable
  readonly requests: RepairRequests
  /** The nodes of local days and months. */
  readonly periods: readonly { readonly id: string }[]
  readonly combines: readonly CombineState[]
  /** Of the record that is being taken in. */
  readonly offset: () => number
}

/**
 * What repair has restated and the task may still emit again, without the late samples, of which
 * the task knows nothing: so it is asked for once more whenever the task emits it. Windows are
 * asked for when they freeze too, since the task may not have taken them before. Of each series a
 * time for the windows, and one for each of the periods (days, months) that are put together of
 * them: [from, to), NaN where there is nothing.
 */
export class Unsettled {
  readonly set: ColumnSet<Record<string, ColumnDeclaration>>
  private readonly options: UnsettledOptions

  constructor(options: UnsettledOptions) {
    this.options = options
    const ids = [WINDOWS, ...options.periods.map(({ id }) => id)]
    this.set = new ColumnSet(Object.fromEntries(ids.map((id) => [id, f64(2, NaN)])))
  }

  /** A window can still change, and repair has said what it is. */
  noteWindow(slot: number, start: Micros, end: Micros): void {
    this.widen(WINDOWS, slot, start, end)
  }

  /** A pane was repaired that the periods hold; `closedTo` says how far a period has closed. */
  notePane(slot: number, start: Micros, closedTo: (state: CombineState) => Micros): void {
    const boundary = this.options.table.series.columns.boundary.get(slot)
    for (const state of this.periodStates()) {
      const first = state.firstHolding(slot, start)
      const end = state.endOf(slot, first)
      if (end > boundary) this.widen(state.node.id, slot, first, end)
      if (end <= Math.max(boundary, closedTo(state))) this.askPeriod(slot, state, first)
    }
  }

  private periodStates(): readonly CombineState[] {
    const { combines, periods } = this.options
    return combines.filter(({ node }) => periods.some(({ id }) => id === node.id))
  }

  private widen(id: string, slot: number, start: Micros, end: Micros): void {
    const column = this.set.columns[id]!
    const [from, to] = [column.get(slot), column.get(slot, 1)]
    column.set(slot, isNaN(from) ? start : Math.min(from, start), 0)
    column.set(slot, isNaN(to) ? end : Math.max(to, end), 1)
  }

  /** The task itself has emitted a window of the node. */
  emitted(id: string, slot: number, start: Micros, end: Micros): void {
    const column = this.set.columns[id] ?? this.set.columns[WINDOWS]!
    // Nearly always there is nothing, and NaN says no.
    if (!(end > column.get(slot) && start < column.get(slot, 1))) return
    const state = this.periodStates().find(({ node }) => node.id === id)
    if (state === undefined) this.askWindows(slot, start, end)
    else this.askPeriod(slot, state, start)
  }

  /** What ends at or before `boundary` can change no more. */
  frozen(slot: number, boundary: Micros): void {
    const windows = this.set.columns[WINDOWS]!
    const to = windows.get(slot, 1)
    if (to <= boundary) {
      this.askWindows(slot, windows.get(slot), to)
      windows.forget(slot)
    }
    for (const { id } of this.options.periods) {
      const column = this.set.columns[id]!
      if (!isNaN(column.get(slot))) this.periodsFrozen(slot, id, boundary)
    }
  }

  private periodsFrozen(slot: number, id: string, boundary: Micros): void {
    const state = this.options.combines.find(({ node }) => node.id === id)!
    const column = this.set.columns[id]!
    let start = column.get(slot)
    while (start < column.get(slot, 1) && state.endOf(slot, start) <= boundary) {
      start = state.following(slot, start)
    }
    if (start < column.get(slot, 1)) column.set(slot, start, 0)
    else column.forget(slot)
  }

  private askWindows(slot: number, start: Micros, end: Micros): void {
    const { table, requests, offset } = this.options
    requests.note(table.series.columns.meter.get(slot), start, end - 1, offset())
  }

  private askPeriod(slot: number, state: CombineState, start: Micros): void {
    const { table, requests, offset } = this.options
    const window = { channel: table.channelOf(slot), width: state.node.span.width }
    requests.noteWindow(table.series.columns.meter.get(slot), start, window, offset())
  }
}
