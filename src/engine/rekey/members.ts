import type { Micros } from '../../kernel/time.ts'
import { ColumnSet, f64, i32, u8 } from '../columns.ts'
import { KeyTable } from '../keys.ts'
import type { Plain, StatePart } from '../state/part.ts'
import type { TaskState } from '../state/task-state.ts'

export const NONE = -1

/** A width of totals, and how many windows of it each member remembers to have given to. */
export interface TotalWidth {
  readonly width: string
  readonly micros: Micros
  readonly remembered: number
}

const membersColumns = (widths: readonly TotalWidth[]) => {
  const rings = widths.reduce((sum, { remembered }) => sum + remembered, 0)
  return {
    group: i32(),
    /** The members that were heard of just before and just after this one. */
    before: i32(),
    after: i32(),
    heardMillis: f64(),
    silent: u8(),
    /** Start of the newest window, by width; NaN where there is none. */
    newest: f64(widths.length, NaN),
    start: f64(rings, NaN),
    value: f64(rings),
    energyWh: f64(rings),
  }
}

/**
 * The series that give to a group of totals, and what each gave to its last windows, so that a
 * window that is restated replaces what it gave before. They hang together in the order in which
 * they were last heard of.
 */
export class Members implements StatePart {
  readonly bytes = 0
  readonly arrays = {}
  readonly set: ColumnSet<ReturnType<typeof membersColumns>>
  first = NONE
  private last = NONE
  private readonly keys = new KeyTable()
  private readonly widths: readonly TotalWidth[]
  /** Where the ring of each width begins. */
  private readonly ringAt: readonly number[]

  constructor(widths: readonly TotalWidth[]) {
    this.widths = widths
    this.set = new ColumnSet(membersColumns(widths))
    let at = 0
    this.ringAt = widths.map(({ remembered }) => (at += remembered) - remembered)
  }

  get size(): number {
    return this.keys.size
  }

  /** Makes room for all that the keys name: what was never written is in no snapshot. */
  grow(): void {
    this.set.grow(this.keys.size)
  }

  addTo(state: TaskState, node: string): void {
    state.add(node, 'members', this.set)
    state.add(node, 'member-keys', this.keys)
    state.add(node, 'member-order', this)
  }

  save(): Plain {
    return { first: this.first, last: this.last }
  }

  load(plain: Plain): void {
    Object.assign(this, plain)
  }

  /** The slot of a member, or NONE. */
  find(key: Buffer): number {
    return this.keys.find(key, 0, key.length)
  }

  add(key: Buffer, group: number, aliveMillis: number): number {
    const slot = this.keys.findOrAdd(key, 0, key.length)
    this.set.grow(slot + 1)
    const c = this.set.columns
    c.group.set(slot, group)
    this.append(slot, aliveMillis)
    return slot
  }

  /** A member was heard of: it is the last of all. */
  heard(slot: number, aliveMillis: number): void {
    if (this.last === slot) {
      this.set.columns.heardMillis.set(slot, aliveMillis)
      return
    }
    if (this.set.columns.silent.get(slot) === 0) this.remove(slot)
    this.append(slot, aliveMillis)
  }

  private append(slot: number, aliveMillis: number): void {
    const c = this.set.columns
    c.heardMillis.set(slot, aliveMillis)
    c.before.set(slot, this.last)
    c.after.set(slot, NONE)
    if (this.last === NONE) this.first = slot
    else c.after.set(this.last, slot)
    this.last = slot
  }

  /** Takes a member out of those that may fall silent. */
  remove(slot: number): void {
    const { before, after } = this.set.columns
    const [left, right] = [before.get(slot), after.get(slot)]
    if (left === NONE) this.first = right
    else after.set(left, right)
    if (right === NONE) this.last = left
    else before.set(right, left)
  }

  private placeOf(width: number, start: Micros): number {
    const { micros, remembered } = this.widths[width]!
    const index = Math.round(start / micros) % remembered
    return this.ringAt[width]! + (index < 0 ? index + remembered : index)
  }

  /** Whether it is known what the member gave to a window, be it nothing. */
  remembers(slot: number, width: number, start: Micros): boolean {
    const { micros, remembered } = this.widths[width]!
    return this.set.columns.newest.get(slot, width) - start < remembered * micros
  }

  /** What the member gave to a window: in `given`, where this answers true. */
  gave(slot: number, width: number, start: Micros): boolean {
    const place = this.placeOf(width, start)
    const c = this.set.columns
    if (c.start.get(slot, place) !== start) return false
    this.given.value = c.value.get(slot, place)
    this.given.energyWh = c.energyWh.get(slot, place)
    return true
  }

  readonly given = { value: NaN, energyWh: NaN }

  give(slot: number, width: number, start: Micros, value: number, energyWh: number): void {
    const place = this.placeOf(width, start)
    const c = this.set.columns
    c.start.set(slot, start, place)
    c.value.set(slot, value, place)
    c.energyWh.set(slot, energyWh, place)
  }
}
