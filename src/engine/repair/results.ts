import type { Micros } from '../../kernel/time.ts'
import type { RepairedWindow, RepairResult } from '../../schemas/records.ts'
import { ColumnSet, f64 } from '../columns.ts'
import type { CombineState } from '../combined.ts'
import type { TaskCounts } from '../counts.ts'
import type { Ingest } from '../ingest.ts'
import type { Pane } from '../nodes.ts'
import type { PaneView } from '../pane.ts'
import type { SeriesTable } from '../series.ts'
import type { Silence } from '../time/silence.ts'
import { nameSeries } from '../windows.ts'
import type { Cause, Emit, WidthState, WindowState } from '../windows.ts'
import type { Unsettled } from './unsettled.ts'

interface Repairable extends WidthState {
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
 * that can still change are the task's own, and taken only of a meter that is silent; days and
 * months are taken when they have closed.
 */
export class RepairResults {
  /** By meter: up to which offset the raw rows were read that its last result was made of. */
  readonly set = new ColumnSet({ basis: f64(1, -1) })
  /** Whether what is emitted comes from here. */
  emitting = false
  private readonly options: RepairResultsOptions
  private readonly unsettled: Unsettled
  private ingest: Ingest | undefined
  private silence: Silence | undefined

  constructor(options: RepairResultsOptions, unsettled: Unsettled) {
    this.options = options
    this.unsettled = unsettled
  }

  ready(ingest: Ingest, silence: Silence | undefined): void {
    this.ingest = ingest
    this.silence = silence
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
    for (const window of windows) this.takeWindow(slot, window)
  }

  private takeWindow(slot: number, window: RepairedWindow): void {
    const { table, counts } = this.options
    const { start, width } = window
    const state = this.stateOf(width)
    if (state === undefined) {
      counts.repairsUnfrozen++
      return
    }
    const end = state.endOf(slot, start)
    const isPeriod = this.isPeriod(state)
    const isFrozen = end <= table.series.columns.boundary.get(slot)
    if (!isFrozen && !isPeriod) this.unsettled.noteWindow(slot, start, end)
    const meter = table.series.columns.meter.get(slot)
    const mayTake = isPeriod || this.silence?.isSilent(meter) === true
    if (!isFrozen && !(mayTake && end <= this.closedTo(slot, state))) {
      counts.repairsUnfrozen++
      return
    }
    this.emit(slot, state, window, end)
    if (this.options.combines.some(({ inner }) => inner === state)) {
      this.unsettled.notePane(slot, start, (period) => this.closedTo(slot, period))
    }
  }

  private isPeriod({ node }: Repairable): boolean {
    return this.options.combines.some(
      (combine) => combine.node === node && combine.node.span.kind === 'calendar',
    )
  }

  private closedTo(slot: number, { node }: WidthState): Micros {
    const { table } = this.options
    const watermark = table.watermarkOf(table.series.columns.meter.get(slot))
    return Math.max(watermark, this.ingest?.closing?.series.columns[node.id]?.get(slot) ?? 0)
  }

  private emit(slot: number, state: Repairable, window: RepairedWindow, end: Micros): void {
    const { table, cause, counts } = this.options
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
    this.emitting = true
    state.emit(slot, pane)
    this.emitting = false
    cause.restating = false
    counts.repaired++
  }

  private stateOf(width: string): Repairable | undefined {
    const { windows, combines } = this.options
    const own = windows.find(({ node }) => node.width === width)
    return (
      own ??
      combines.find(({ node: { span } }) => {
        return span.kind !== 'hopping' && span.width === width
      })
    )
  }
}
