import type { Micros } from '../../kernel/time.ts'
import { ColumnSet, f64, i32, u8 } from '../columns.ts'
import { KeyTable } from '../keys.ts'
import { BoundedLists, list } from '../lists.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { addTerm, sumOf } from './exact-sum.ts'
import type { TaskState } from '../state/task-state.ts'
import type { Limbs } from './exact-sum.ts'
import { NONE } from './members.ts'

const FIELDS = [
  'start',
  /** Append time of the first reading that gave to it, in its own partition. */
  'since',
  'sum',
  'sumHigh',
  'sumLow',
  'energy',
  'energyHigh',
  'energyLow',
  'values',
  'energies',
  'reporting',
  /** Members whose first window it is; whose newest it is; those of them that are silent. */
  'joined',
  'newest',
  'newestSilent',
  'emitted',
  'changed',
  /** Of the last record that changed it. */
  'revision',
] as const
export type WindowField = (typeof FIELDS)[number]

/** As which a window was last emitted. */
export const [UNKNOWN, PROVISIONAL, FINAL] = [0, 1, 2]

const groupColumns = (widths: number) => ({
  waits: u8(),
  /** The group that waits to be emitted after this one. */
  next: i32(1, NONE),
  /** By width: start of the last window that was closed for ever. */
  closed: f64(widths, -Infinity),
  /** Members whose newest (or first) window is behind the open ones. */
  behind: f64(widths),
  behindSilent: f64(widths),
  joinedBefore: f64(widths),
})

/**
 * Groups of totals (a scope, an id, a channel) and their open windows: of each width a list,
 * ascending in start.
 */
export class Groups {
  readonly set: ColumnSet<ReturnType<typeof groupColumns>>
  private readonly keys = new KeyTable()
  private readonly windows = new BoundedLists(list(FIELDS, { max: LIMITS.totalsWindowsMax }))
  private readonly widths: number
  private readonly field: Readonly<Record<WindowField, number>>
  private readonly sums = new WindowLimbs(this.windows)

  constructor(widths: number) {
    this.widths = widths
    this.set = new ColumnSet(groupColumns(widths))
    const fields = FIELDS.map((name) => [name, this.windows.field(name)])
    this.field = Object.fromEntries(fields) as Record<WindowField, number>
  }

  get size(): number {
    return this.keys.size
  }

  /** Makes room for all that the keys name: what was never written is in no snapshot. */
  grow(): void {
    this.set.grow(this.keys.size)
    this.windows.grow(this.keys.size * this.widths)
  }

  addTo(state: TaskState, node: string): void {
    state.add(node, 'groups', this.set)
    state.add(node, 'group-keys', this.keys)
    state.add(node, 'windows', this.windows)
  }

  keyOf(group: number): string {
    return this.keys.keyOf(group)
  }

  slotOf(key: Buffer): number {
    const before = this.keys.size
    const slot = this.keys.findOrAdd(key, 0, key.length)
    if (slot === before) this.grow()
    return slot
  }

  count(group: number, width: number): number {
    return this.windows.count(group * this.widths + width)
  }

  get(group: number, width: number, index: number, name: WindowField): number {
    return this.windows.get(group * this.widths + width, index, this.field[name])
  }

  put(group: number, width: number, index: number, name: WindowField, value: number): void {
    this.windows.set(group * this.widths + width, index, this.field[name], value)
  }

  add(group: number, width: number, index: number, name: WindowField, value: number): void {
    this.put(group, width, index, name, this.get(group, width, index, name) + value)
  }

  /** The index of an open window, or NONE. */
  find(group: number, width: number, start: Micros): number {
    const last = this.count(group, width) - 1
    // Nearly all is about the newest window; the history of years has them all open at once.
    if (last < 0 || this.startOf(group, width, last) < start) return NONE
    let [low, high] = [0, last]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.startOf(group, width, middle) <= start) low = middle
      else high = middle - 1
    }
    return this.startOf(group, width, low) === start ? low : NONE
  }

  private startOf(group: number, width: number, index: number): Micros {
    return this.get(group, width, index, 'start')
  }

  /** Opens a window in its place. */
  open(group: number, width: number, start: Micros): number {
    const lists = group * this.widths + width
    let index = this.windows.push(lists)
    for (; index > 0 && this.get(group, width, index - 1, 'start') > start; index--) {
      for (const name of FIELDS) {
        this.put(group, width, index, name, this.get(group, width, index - 1, name))
      }
    }
    for (const name of FIELDS) this.put(group, width, index, name, 0)
    this.put(group, width, index, 'start', start)
    return index
  }

  /** Closes the oldest window for ever. */
  closeFirst(group: number, width: number): void {
    const c = this.set.columns
    const grow = (column: 'behind' | 'behindSilent' | 'joinedBefore', name: WindowField) => {
      c[column].set(group, c[column].get(group, width) + this.get(group, width, 0, name), width)
    }
    grow('behind', 'newest')
    grow('behindSilent', 'newestSilent')
    grow('joinedBefore', 'joined')
    c.closed.set(group, this.get(group, width, 0, 'start'), width)
    this.windows.dropFirst(group * this.widths + width, 1)
  }

  /** Counts `by` members in or out at the window that is their newest, or behind all. */
  countNewest(group: number, width: number, start: Micros, silent: boolean, by: number): void {
    const index = this.find(group, width, start)
    if (index >= 0) {
      this.add(group, width, index, silent ? 'newestSilent' : 'newest', by)
      return
    }
    const column = this.set.columns[silent ? 'behindSilent' : 'behind']
    column.set(group, column.get(group, width) + by, width)
  }

  countFirst(group: number, width: number, start: Micros): void {
    const index = this.find(group, width, start)
    if (index >= 0) {
      this.add(group, width, index, 'joined', 1)
      return
    }
    const { joinedBefore } = this.set.columns
    joinedBefore.set(group, joinedBefore.get(group, width) + 1, width)
  }

  /** Adds what a member gives to a window, or takes it away. */
  give(group: number, width: number, index: number, given: Given, sign: 1 | -1): void {
    const { value, energyWh } = given
    if (isNaN(value) && isNaN(energyWh)) return
    const slot = group * this.widths + width
    this.add(group, width, index, 'reporting', sign)
    if (!isNaN(value)) {
      this.add(group, width, index, 'values', sign)
      addTerm(this.sums.at(slot, index, this.field.sum), value, sign)
    }
    if (!isNaN(energyWh)) {
      this.add(group, width, index, 'energies', sign)
      addTerm(this.sums.at(slot, index, this.field.energy), energyWh, sign)
    }
  }

  /** The sum of what is given to a window; NaN where nothing is. */
  sum(group: number, width: number, index: number, of: 'value' | 'energy'): number {
    const count = this.get(group, width, index, of === 'value' ? 'values' : 'energies')
    if (count === 0) return NaN
    const field = of === 'value' ? this.field.sum : this.field.energy
    return sumOf(this.sums.at(group * this.widths + width, index, field))
  }
}

export interface Given {
  /** NaN where there is none. */
  readonly value: number
  readonly energyWh: number
}

/** The three numbers of a sum, where a window keeps them. */
class WindowLimbs implements Limbs {
  private readonly windows: BoundedLists
  private slot = 0
  private index = 0
  private field = 0

  constructor(windows: BoundedLists) {
    this.windows = windows
  }

  at(slot: number, index: number, field: number): this {
    this.slot = slot
    this.index = index
    this.field = field
    return this
  }

  get(limb: number): number {
    return this.windows.get(this.slot, this.index, this.field + limb)
  }

  set(limb: number, value: number): void {
    this.windows.set(this.slot, this.index, this.field + limb, value)
  }
}
