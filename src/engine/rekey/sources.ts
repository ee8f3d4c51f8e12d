import type { SourcePosition } from '../../log/position.ts'
import { ColumnSet, f64, u8 } from '../columns.ts'
import type { Plain, StatePart } from '../state/part.ts'
import type { TaskState } from '../state/task-state.ts'

/**
 * The most by which silence goes on between two moments that were heard of: an outage of our own,
 * in which nothing was appended, is not the meters' silence.
 */
const GAP_MILLIS_MAX = 30_000

/**
 * What stage two knows of the partitions that its records come from: the last position of each, so
 * that what is appended twice counts once, and how far each has come in its append time.
 */
export class Sources implements StatePart {
  readonly bytes = 0
  readonly arrays = {}
  /** Append time up to which every source partition has been heard; -Infinity before. */
  heardMillis = -Infinity
  /** The same, with long gaps cut short: what silence is measured by. */
  aliveMillis = 0
  private readonly set = new ColumnSet({
    seen: u8(),
    epoch: f64(),
    offset: f64(),
    index: f64(),
    appended: f64(),
  })
  private readonly count: number

  constructor(count: number) {
    this.count = count
    this.set.grow(count)
  }

  /** Notes a record's position. Answers false where it, or a later one, was seen before. */
  isNew({ epoch, partition, offset, index }: SourcePosition): boolean {
    if (partition >= this.count) return false
    const c = this.set.columns
    if (c.seen.get(partition) === 1) {
      const known = c.epoch.get(partition)
      if (epoch < known) return false
      if (epoch === known) {
        const last = c.offset.get(partition)
        if (offset < last || (offset === last && index <= c.index.get(partition))) return false
      }
    }
    c.epoch.set(partition, epoch)
    c.offset.set(partition, offset)
    c.index.set(partition, index)
    if (c.seen.get(partition) === 0) c.appended.set(partition, -Infinity)
    c.seen.set(partition, 1)
    return true
  }

  /** A source partition has come to `appendedMillis`. */
  advance(partition: number, appendedMillis: number): void {
    const { appended, seen } = this.set.columns
    if (appendedMillis <= appended.get(partition)) return
    appended.set(partition, appendedMillis)
    let least = Infinity
    for (let p = 0; p < this.count; p++) {
      least = Math.min(least, seen.get(p) === 1 ? appended.get(p) : -Infinity)
    }
    if (least <= this.heardMillis) return
    if (this.heardMillis > -Infinity) {
      this.aliveMillis += Math.min(least - this.heardMillis, GAP_MILLIS_MAX)
    }
    this.heardMillis = least
  }

  addTo(state: TaskState, node: string): void {
    state.add(node, 'sources', this.set)
    state.add(node, 'time', this)
  }

  save(): Plain {
    return { heardMillis: this.heardMillis, aliveMillis: this.aliveMillis }
  }

  load(plain: Plain): void {
    Object.assign(this, plain)
  }
}
