import type { Micros } from '../kernel/time.ts'
import type { Course } from './register.ts'
import type { Restater } from './restater.ts'
import type { SeriesTable } from './series.ts'
import type { SilentClosing } from './time/silent-closing.ts'
import type { WidthState } from './windows.ts'

/** A sample that came or changed, and how far its meter's windows had closed before. */
export interface Change {
  readonly slot: number
  readonly at: Micros
  readonly watermark: Micros
  /** Whether a sample of the same time counted before. */
  readonly wasCounted: boolean
}

export interface MarkingOptions {
  readonly table: SeriesTable
  /** All widths, ascending. */
  readonly widths: readonly WidthState[]
  readonly restater: Restater
  readonly closing: SilentClosing | undefined
  /** The course of a register as it was before the change. */
  readonly courseBefore: Course
}

/** Finds the closed windows that a change touches: they are emitted again when they are due. */
export class Marking {
  private readonly options: MarkingOptions

  constructor(options: MarkingOptions) {
    this.options = options
  }

  /** Marks all that a change touches; `course` is that of a register as it is now, else null. */
  mark(change: Change, course: Course | null): void {
    const { table, widths, courseBefore } = this.options
    const place = change.at - table.shiftOf(change.slot)
    for (let width = 0; width < widths.length; width++) {
      if (widths[width]!.items === undefined) this.markSpan(width, place, place, change)
      else this.markItems(width, place, change)
    }
    course?.differences(courseBefore, (first, last) => {
      for (let width = 0; width < widths.length; width++) {
        if (widths[width]!.items === undefined) this.markSpan(width, first, last, change)
      }
    })
  }

  /** Marks the closed windows that hold a part of [first, last] and can still change. */
  private markSpan(width: number, first: Micros, last: Micros, change: Change): void {
    const { table, widths, restater } = this.options
    const { slot, at, wasCounted } = change
    const boundary = table.series.columns.boundary.get(slot)
    const place = at - table.shiftOf(slot)
    const state = widths[width]!
    const closed = this.closedTo(slot, width, change)
    let start = state.firstHolding(slot, Math.max(first, boundary))
    for (; start <= last; start = state.following(slot, start)) {
      const end = state.endOf(slot, start)
      if (end > closed) break
      const waits = restater.waits(slot, width, start)
      const held = wasCounted && place >= start && place < end
      const known = waits || held || this.knewOther(slot, state, start, at)
      restater.mark(slot, width, start, known)
    }
  }

  /** Marks the closed items of samples that look back at the changed one. */
  private markItems(width: number, place: Micros, change: Change): void {
    const { table, widths, restater } = this.options
    const state = widths[width]!
    const { target, spread, knew } = state.items!
    const slot = target(change.slot)
    if (slot < 0) return
    const last = place + spread(change.slot, place)
    const closed = this.closedTo(slot, width, change)
    const boundary = table.series.columns.boundary.get(slot)
    let start = state.firstHolding(slot, Math.max(place, boundary))
    for (; start <= last && state.endOf(slot, start) <= closed;) {
      const isOwn = slot === change.slot && start === place
      const before = isOwn ? change.wasCounted : knew(slot, start)
      // A BAD sample has no item, and never had one where it has not changed.
      if (isOwn || before) {
        restater.mark(slot, width, start, before || restater.waits(slot, width, start))
      }
      start = state.following(slot, start)
    }
  }

  private closedTo(slot: number, width: number, { watermark }: Change): Micros {
    return Math.max(watermark, this.options.closing?.closedTo(slot, width) ?? 0)
  }

  /** Whether a window had anything to say before the sample at `at` came or changed. */
  private knewOther(slot: number, state: WidthState, start: Micros, at: Micros): boolean {
    if (state.holdsOther(slot, start, at)) return true
    if (!this.options.table.isRegister(slot)) return false
    return this.options.courseBefore.nextTime(start) < state.endOf(slot, start)
  }
}
