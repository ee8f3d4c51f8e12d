import type { Micros } from '../../kernel/time.ts'
import { ColumnSet, f64 } from '../columns.ts'
import type { Column, ColumnDeclaration } from '../columns.ts'
import type { Course } from '../register.ts'
import type { SeriesTable } from '../series.ts'
import type { Cause, WidthState } from '../windows.ts'

export interface SilentClosingOptions {
  readonly table: SeriesTable
  /** All widths, ascending. */
  readonly widths: readonly WidthState[]
  readonly cause: Cause
  readonly courseOf: (slot: number) => Course | null
}

/**
 * Windows that closed because their meter is silent. Only what holds something closes: a window
 * that begins after the newest reading stays open for it, so that a backlog is not late.
 */
export class SilentClosing {
  /**
   * For each series the end of the last window that silence closed; 0: none. By the id of the
   * width's node, so that a snapshot of fewer widths says what it knows of those.
   */
  readonly series: ColumnSet<Record<string, ColumnDeclaration>>
  private readonly ends: readonly Column[]
  private readonly options: SilentClosingOptions

  constructor(options: SilentClosingOptions) {
    this.options = options
    const ids = options.widths.map(({ node }) => node.id)
    this.series = new ColumnSet(Object.fromEntries(ids.map((id) => [id, f64()])))
    this.ends = ids.map((id) => this.series.columns[id]!)
  }

  closedTo(slot: number, width: number): Micros {
    return this.ends[width]!.get(slot)
  }

  /**
   * Closes what holds something and ends by the meter's event time: by series, width and start.
   * `watermark` is the meter's own. Answers the end of what would close next; Infinity where
   * nothing is left.
   */
  close(meter: number, watermark: Micros, eventTime: Micros): Micros {
    const { table, widths } = this.options
    let next = Infinity
    let slot = table.meters.columns.first.get(meter)
    for (; slot >= 0; slot = table.series.columns.next.get(slot)) {
      for (let width = 0; width < widths.length; width++) {
        next = Math.min(next, this.closeWidth(meter, slot, width, watermark, eventTime))
      }
    }
    return next
  }

  private closeWidth(
    meter: number,
    slot: number,
    width: number,
    watermark: Micros,
    eventTime: Micros,
  ): Micros {
    const { table, widths, cause, courseOf } = this.options
    const closedTo = this.ends[width]!
    const { ahead } = table.meters.columns
    const state = widths[width]!
    const course = courseOf(slot)
    const from = Math.max(watermark, closedTo.get(slot))
    let start = state.next(slot, state.firstHolding(slot, from), course)
    let end = state.endOf(slot, start)
    while (end <= eventTime) {
      emitClosed(slot, state, start, course, cause)
      closedTo.set(slot, end)
      if (end > ahead.get(meter)) ahead.set(meter, end)
      start = state.next(slot, state.following(slot, start), course)
      end = state.endOf(slot, start)
    }
    return end
  }
}

/** Emits a window that closes, as it is known now. */
export function emitClosed(
  slot: number,
  state: WidthState,
  start: Micros,
  course: Course | null,
  cause: Cause,
): void {
  const item = state.compute(slot, start, course)
  item.restated = false
  item.revision = cause.revision
  state.emit(slot, item as never)
}
