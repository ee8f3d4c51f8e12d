import { days } from '../../kernel/time.ts'
import type { Micros } from '../../kernel/time.ts'
import type { Plain, StatePart } from '../state/part.ts'

/** Samples of one meter and day (UTC) that came too late, until they are told of. */
export interface Waiting {
  readonly meter: number
  from: Micros
  to: Micros
  /** Of the last record that brought one. */
  offset: number
}

const DAY = days(1)
/** What an entry takes, with its key: an estimate. */
const ENTRY_BYTES = 120

/** What a task has still to ask repair for: told together every ten seconds of append time. */
export class RepairRequests implements StatePart {
  readonly arrays = {}
  /** In the order in which their first sample came. */
  private readonly waiting = new Map<string, Waiting>()

  note(meter: number, at: Micros, offset: number): void {
    const key = `${meter}|${Math.floor(at / DAY)}`
    const known = this.waiting.get(key)
    if (known === undefined) {
      this.waiting.set(key, { meter, from: at, to: at, offset })
      return
    }
    known.from = Math.min(known.from, at)
    known.to = Math.max(known.to, at)
    known.offset = offset
  }

  take(tell: (waiting: Waiting) => void): void {
    for (const one of this.waiting.values()) tell(one)
    this.waiting.clear()
  }

  get bytes(): number {
    return this.waiting.size * ENTRY_BYTES
  }

  save(): Plain {
    return [...this.waiting.values()].map(({ meter, from, to, offset }) => [
      ...[meter, from, to, offset],
    ])
  }

  load(plain: Plain): void {
    this.waiting.clear()
    for (const [meter, from, to, offset] of plain as [number, number, number, number][]) {
      this.waiting.set(`${meter}|${Math.floor(from / DAY)}`, { meter, from, to, offset })
    }
  }
}
