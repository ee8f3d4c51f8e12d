import type { Micros } from '../../kernel/time.ts'
import { ColumnSet, f64, i32 } from '../columns.ts'

/**
 * Timers of meters, the earliest first, those of one moment in the order that `before` gives two
 * meters: no slot and no history decides. A binary heap in columns, one entry a place.
 *
 * A timer that no longer holds is not looked for: whoever takes it sees that it does not.
 */
export class Timers {
  /** By place in the heap. */
  readonly heap = new ColumnSet({ due: f64(), meter: i32() })
  size = 0
  private readonly before: (meter: number, other: number) => boolean

  constructor(before: (meter: number, other: number) => boolean) {
    this.before = before
  }

  /** When the earliest is due; Infinity where there is none. */
  get due(): Micros {
    return this.size === 0 ? Infinity : this.heap.columns.due.get(0)
  }

  push(due: Micros, meter: number): void {
    let place = this.size++
    this.heap.grow(this.size)
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (!this.isEarlier(due, meter, parent)) break
      this.move(parent, place)
      place = parent
    }
    this.put(place, due, meter)
  }

  /** Takes the earliest away, and answers its meter. */
  pop(): number {
    const { columns } = this.heap
    const first = columns.meter.get(0)
    const size = --this.size
    const due = columns.due.get(size)
    const meter = columns.meter.get(size)
    let place = 0
    for (;;) {
      let child = 2 * place + 1
      if (child >= size) break
      if (child + 1 < size && this.isEarlierPlace(child + 1, child)) child++
      if (this.isEarlier(due, meter, child)) break
      this.move(child, place)
      place = child
    }
    this.put(place, due, meter)
    return first
  }

  private put(place: number, due: Micros, meter: number): void {
    this.heap.columns.due.set(place, due)
    this.heap.columns.meter.set(place, meter)
  }

  private move(from: number, to: number): void {
    this.put(to, this.heap.columns.due.get(from), this.heap.columns.meter.get(from))
  }

  private isEarlierPlace(place: number, other: number): boolean {
    const { due, meter } = this.heap.columns
    return this.isEarlier(due.get(place), meter.get(place), other)
  }

  private isEarlier(due: Micros, meter: number, place: number): boolean {
    const other = this.heap.columns.due.get(place)
    if (due !== other) return due < other
    return this.before(meter, this.heap.columns.meter.get(place))
  }
}
