import { days } from '../../kernel/time.ts'
import type { Micros } from '../../kernel/time.ts'
import type { Plain, StatePart } from '../state/part.ts'

/** A window that is put together of panes that repair has restated. */
export interface AskedWindow {
  readonly channel: string
  readonly width: string
}

/** What one meter is to be asked repair for, until it is told of. */
export interface Waiting {
  readonly meter: number
  from: Micros
  to: Micros
  /** Of the last record that brought a cause. */
  offset: number
  /** Undefined: samples in [from, to], of one day (UTC). */
  readonly window: AskedWindow | undefined
}

const DAY = days(1)
/** What an entry takes, with its key: an estimate. */
const ENTRY_BYTES = 160

/** What a task has still to ask repair for: told together every ten seconds of append time. */
export class RepairRequests implements StatePart {
  readonly arrays = {}
  /** In the order in which their first cause came. */
  private readonly waiting = new Map<string, Waiting>()

  /** Asks for the windows of samples in [from, to]. */
  note(meter: number, from: Micros, to: Micros, offset: number): void {
    for (let at = from; at <= to; at = (Math.floor(at / DAY) + 1) * DAY) {
      const last = Math.min(to, (Math.floor(at / DAY) + 1) * DAY - 1)
      this.add({ meter, from: at, to: last, offset, window: undefined })
    }
  }

  /** Asks for the window that begins at `start`. */
  noteWindow(meter: number, start: Micros, window: AskedWindow, offset: number): void {
    this.add({ meter, from: start, to: start, offset, window })
  }

  private add(one: Waiting): void {
    const { meter, from, to, offset, window } = one
    const what =
      window === undefined ? Math.floor(from / DAY) : `${window.channel}|${window.width}|${from}`
    const key = `${meter}|${what}`
    const known = this.waiting.get(key)
    if (known === undefined) {
      this.waiting.set(key, one)
      return
    }
    known.from = Math.min(known.from, from)
    known.to = Math.max(known.to, to)
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
    return [...this.waiting.values()].map(({ meter, from, to, offset, window }) => [
      ...[meter, from, to, offset],
      ...(window === undefined ? [] : [window.channel, window.width]),
    ])
  }

  load(plain: Plain): void {
    this.waiting.clear()
    type Saved = [number, number, number, number, string?, string?]
    for (const [meter, from, to, offset, channel, width] of plain as unknown as Saved[]) {
      const isWindow = channel !== undefined && width !== undefined
      this.add({ meter, from, to, offset, window: isWindow ? { channel, width } : undefined })
    }
  }
}
