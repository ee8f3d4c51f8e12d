import type { RepairedWindow, RepairResult } from '../../schemas/records.ts'
import { ColumnSet, f64 } from '../columns.ts'
import type { CombineState } from '../combined.ts'
import type { TaskCounts } from '../counts.ts'
import type { Pane } from '../nodes.ts'
import type { PaneView } from '../pane.ts'
import type { SeriesTable } from '../series.ts'
import { nameSeries } from '../windows.ts'
import type { Cause, Emit, WindowState } from '../windows.ts'

interface Repairable {
  readonly micros: number
  readonly pane: PaneView
  readonly emit: Emit<Pane>
}

export interface RepairResultsOptions {
  readonly table: SeriesTable
  readonly windows: readonly WindowState[]
  readonly combines: readonly CombineState[]
  readonly cause: Cause
  readonly counts: TaskCounts
}

/**
 * Emits what repair has computed, as a restatement by the control record that brought it. Windows
 * that can still change are the task's own: of them nothing is taken.
 */
export class RepairResults {
  /** By meter: up to which offset the raw rows were read that its last result was made of. */
  readonly set = new ColumnSet({ basis: f64(1, -1) })
  private readonly options: RepairResultsOptions

  constructor(options: RepairResultsOptions) {
    this.options = options
  }

  take({ tenant, meterId, channel, basis, windows }: RepairResult): void {
    const { table, counts } = this.options
    const key = Buffer.from(`${tenant}/${meterId}`)
    const meter = table.meterSlot(key, 0, key.length)
    this.set.grow(meter + 1)
    const { basis: known } = this.set.columns
    if (basis < known.get(meter)) {
      counts.repairsStale++
      return
    }
    known.set(meter, basis)
    const name = Buffer.from(channel)
    const slot = table.seriesSlot(meter, -1, name, 0, name.length)
    for (const window of windows) this.emit(slot, window)
  }

  private emit(slot: number, window: RepairedWindow): void {
    const { table, cause, counts } = this.options
    const state = this.stateOf(window.width)
    const end = window.start + (state?.micros ?? NaN)
    if (state === undefined || !(end <= table.series.columns.boundary.get(slot))) {
      counts.repairsUnfrozen++
      return
    }
    const { pane } = state
    pane.begin(window.start, end)
    nameSeries(pane, table, slot)
    pane.count = window.count
    pane.sum = window.sum ?? NaN
    pane.min = window.min ?? NaN
    pane.max = window.max ?? NaN
    pane.first = window.first ?? NaN
    pane.last = window.last ?? NaN
    pane.energyWh = window.energyWh ?? NaN
    pane.estimated = window.estimated
    pane.finish(table.series.columns.expected.get(slot))
    pane.stddev = window.stddev ?? NaN
    pane.restated = true
    pane.revision = cause.revision
    cause.restating = true
    state.emit(slot, pane)
    cause.restating = false
    counts.repaired++
  }

  private stateOf(width: string): Repairable | undefined {
    const { windows, combines } = this.options
    const own = windows.find(({ node }) => node.width === width)
    const isTumbling = ({ node: { span } }: CombineState) =>
      span.kind === 'tumbling' && span.width === width
    return own ?? combines.find(isTumbling)
  }
}
