import type { Micros } from '../kernel/time.ts'
import type { TaskCounts } from './counts.ts'
import type { Course } from './register.ts'
import type { SeriesTable } from './series.ts'
import type { Cause, WidthState } from './windows.ts'

interface Pending {
  readonly slot: number
  readonly start: Micros
  readonly state: WidthState
  /** Whether it had anything to say before the change, so that somebody may know of it. */
  readonly wasKnown: boolean
  revision: number
}

export interface RestaterOptions {
  readonly table: SeriesTable
  readonly widths: readonly WidthState[]
  readonly cause: Cause
  readonly counts: TaskCounts
  readonly courseOf: (slot: number) => Course | null
}

/** Closed windows that have changed, until they are due to be emitted again. */
export class Restater {
  private readonly pending = new Map<string, Pending>()
  private readonly options: RestaterOptions

  constructor(options: RestaterOptions) {
    this.options = options
  }

  /** A closed window has changed by the record that is being taken in. */
  mark(slot: number, width: number, start: Micros, wasKnown: boolean): void {
    const { widths, cause, table } = this.options
    const key = `${slot}|${width}|${start}`
    const found = this.pending.get(key)
    if (found !== undefined) {
      found.revision = cause.revision
      return
    }
    const state = widths[width]!
    this.pending.set(key, { slot, start, state, wasKnown, revision: cause.revision })
    const { pending } = table.series.columns
    pending.set(slot, pending.get(slot) + 1)
  }

  /** Whether a window waits already: then what it was before is noted. */
  waits(slot: number, width: number, start: Micros): boolean {
    return this.options.table.series.columns.pending.get(slot) > 0
      ? this.pending.has(`${slot}|${width}|${start}`)
      : false
  }

  /** Emits all that wait, in the order in which they were first changed. */
  emitAll(): void {
    for (const entry of this.pending.values()) this.emit(entry)
    this.pending.clear()
  }

  /** Emits what of a series ends at or before `boundary`: it can change no more. */
  emitBehind(slot: number, boundary: Micros): void {
    if (this.options.table.series.columns.pending.get(slot) === 0) return
    for (const [key, entry] of this.pending) {
      if (entry.slot !== slot || entry.start + entry.state.micros > boundary) continue
      this.pending.delete(key)
      this.emit(entry)
    }
  }

  private emit({ slot, start, state, wasKnown, revision }: Pending): void {
    const { table, counts, courseOf } = this.options
    const { pending } = table.series.columns
    pending.set(slot, pending.get(slot) - 1)
    const pane = state.compute(slot, start, courseOf(slot))
    if (!pane.hasContent && !wasKnown) return
    counts.restated++
    pane.restated = true
    pane.revision = revision
    state.emit(slot, pane)
  }
}
