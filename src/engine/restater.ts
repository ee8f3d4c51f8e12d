import type { Micros } from '../kernel/time.ts'
import { ColumnSet, f64, i32, u8 } from './columns.ts'
import type { TaskCounts } from './counts.ts'
import type { Course } from './register.ts'
import type { SeriesTable } from './series.ts'
import type { Plain, StatePart } from './state/part.ts'
import type { Cause, WidthState } from './windows.ts'

export interface RestaterOptions {
  readonly table: SeriesTable
  readonly widths: readonly WidthState[]
  readonly cause: Cause
  readonly counts: TaskCounts
  readonly courseOf: (slot: number) => Course | null
}

const GONE = -1

/** Closed windows that have changed, until they are due to be emitted again. */
export class Restater implements StatePart {
  /** One line for each that waits, in the order in which they were first changed. */
  private readonly lines = new ColumnSet({
    /** GONE where it has been emitted before the others. */
    slot: i32(),
    width: u8(),
    start: f64(),
    /** Whether it had anything to say before the change, so that somebody may know of it. */
    wasKnown: u8(),
    revision: f64(),
  })
  readonly arrays = this.lines.arrays
  private count = 0
  /** The line of a window: follows from the lines. */
  private readonly lineOf = new Map<string, number>()
  private readonly options: RestaterOptions

  constructor(options: RestaterOptions) {
    this.options = options
  }

  get bytes(): number {
    return this.lines.bytes
  }

  /** A closed window has changed by the record that is being taken in. */
  mark(slot: number, width: number, start: Micros, wasKnown: boolean): void {
    const { cause, table } = this.options
    const c = this.lines.columns
    const key = `${slot}|${width}|${start}`
    const found = this.lineOf.get(key)
    if (found !== undefined) {
      c.revision.set(found, cause.revision)
      return
    }
    const line = this.count++
    this.lines.grow(this.count)
    c.slot.set(line, slot)
    c.width.set(line, width)
    c.start.set(line, start)
    c.wasKnown.set(line, wasKnown ? 1 : 0)
    c.revision.set(line, cause.revision)
    this.lineOf.set(key, line)
    const { pending } = table.series.columns
    pending.set(slot, pending.get(slot) + 1)
  }

  /** Whether a window waits already: then what it was before is noted. */
  waits(slot: number, width: number, start: Micros): boolean {
    return this.options.table.series.columns.pending.get(slot) > 0
      ? this.lineOf.has(`${slot}|${width}|${start}`)
      : false
  }

  /** Emits all that wait, in the order in which they were first changed. */
  emitAll(): void {
    for (let line = 0; line < this.count; line++) {
      if (this.lines.columns.slot.get(line) !== GONE) this.emit(line)
    }
    this.count = 0
    this.lineOf.clear()
  }

  /** Emits what of a series ends at or before `boundary`: it can change no more. */
  emitBehind(slot: number, boundary: Micros): void {
    if (this.options.table.series.columns.pending.get(slot) === 0) return
    const c = this.lines.columns
    for (let line = 0; line < this.count; line++) {
      if (c.slot.get(line) !== slot) continue
      const width = c.width.get(line)
      const start = c.start.get(line)
      if (this.options.widths[width]!.endOf(slot, start) > boundary) continue
      this.lineOf.delete(`${slot}|${width}|${start}`)
      this.emit(line)
      c.slot.set(line, GONE)
    }
  }

  private emit(line: number): void {
    const { table, cause, counts, courseOf, widths } = this.options
    const c = this.lines.columns
    const slot = c.slot.get(line)
    const { pending } = table.series.columns
    pending.set(slot, pending.get(slot) - 1)
    const state = widths[c.width.get(line)]!
    const item = state.compute(slot, c.start.get(line), courseOf(slot))
    if (!item.hasContent && c.wasKnown.get(line) === 0) return
    counts.restated++
    item.restated = true
    item.revision = c.revision.get(line)
    cause.restating = true
    state.emit(slot, item as never)
    cause.restating = false
  }

  save(): Plain {
    return { count: this.count, widths: this.options.widths.map(({ node }) => node.id) }
  }

  /** Windows of a node that is no more are forgotten. */
  load(plain: Plain): void {
    const { count, widths } = plain as { count: number; widths: string[] }
    const c = this.lines.columns
    const { pending } = this.options.table.series.columns
    this.count = count
    this.lines.grow(count)
    const known = widths.map((id) => this.options.widths.findIndex(({ node }) => node.id === id))
    for (let line = 0; line < count; line++) {
      const slot = c.slot.get(line)
      if (slot === GONE) continue
      const width = known[c.width.get(line)]!
      if (width >= 0) {
        c.width.set(line, width)
        this.lineOf.set(`${slot}|${width}|${c.start.get(line)}`, line)
        continue
      }
      pending.set(slot, pending.get(slot) - 1)
      c.slot.set(line, GONE)
    }
  }
}
