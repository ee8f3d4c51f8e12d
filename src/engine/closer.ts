import type { Micros } from '../kernel/time.ts'
import type { Course } from './register.ts'
import type { Cause, WidthState } from './windows.ts'

const SORTED_BY_INSERTION = 16

/**
 * The windows of one meter that a record closes: gathered over its series, then emitted in the
 * order (end, width, key of the series), whatever order they were found in.
 */
export class Closer {
  private count = 0
  private ends = new Float64Array(64)
  private widths = new Int32Array(64)
  private slots = new Int32Array(64)
  private order = new Int32Array(64)
  private readonly states: readonly WidthState[]

  /** `states` ascending in width. */
  constructor(states: readonly WidthState[]) {
    this.states = states
  }

  /**
   * Finds a series' windows that end in (before, after]. Series come in the order of their keys.
   */
  gather(slot: number, before: Micros, after: Micros, course: Course | null): void {
    for (let width = 0; width < this.states.length; width++) {
      const state = this.states[width]!
      const { micros } = state
      const upTo = Math.floor(after / micros) * micros
      const from = Math.floor(before / micros) * micros
      if (from === upTo) continue
      let start = state.next(slot, from, course)
      while (start < upTo) {
        this.add(slot, width, start + micros)
        start = state.next(slot, start + micros, course)
      }
    }
  }

  private add(slot: number, width: number, end: Micros): void {
    if (this.count === this.ends.length) this.widen()
    const i = this.count++
    this.ends[i] = end
    this.widths[i] = width
    this.slots[i] = slot
    this.order[i] = i
  }

  private widen(): void {
    const room = 2 * this.count
    const wide = <T extends Float64Array | Int32Array>(old: T, made: T): T => {
      made.set(old)
      return made
    }
    this.ends = wide(this.ends, new Float64Array(room))
    this.widths = wide(this.widths, new Int32Array(room))
    this.slots = wide(this.slots, new Int32Array(room))
    this.order = wide(this.order, new Int32Array(room))
  }

  /** Emits what was gathered, and forgets it. */
  close(cause: Cause, courseOf: (slot: number) => Course | null): void {
    this.sort()
    const { count } = this
    this.count = 0
    for (let k = 0; k < count; k++) {
      const i = this.order[k]!
      const state = this.states[this.widths[i]!]!
      const slot = this.slots[i]!
      const pane = state.compute(slot, this.ends[i]! - state.micros, courseOf(slot))
      pane.restated = false
      pane.revision = cause.revision
      state.emit(slot, pane)
    }
  }

  /** Stable, so that series keep their order. */
  private sort(): void {
    const { count, order } = this
    if (count > SORTED_BY_INSERTION) {
      order.subarray(0, count).sort((a, b) => this.compare(a, b) || a - b)
      return
    }
    for (let k = 1; k < count; k++) {
      const i = order[k]!
      let place = k
      while (place > 0 && this.compare(order[place - 1]!, i) > 0) {
        order[place] = order[place - 1]!
        place--
      }
      order[place] = i
    }
  }

  private compare(a: number, b: number): number {
    return this.ends[a]! - this.ends[b]! || this.widths[a]! - this.widths[b]!
  }
}
