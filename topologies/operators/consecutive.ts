import { u8 } from '../../src/engine/columns.ts'
import type { Operator } from '../../src/engine/nodes.ts'
import type { Micros } from '../../src/kernel/time.ts'
import { ringPlace, windowsKept } from './rolling-baseline.ts'
import type { Verdict } from './spike.ts'

export interface ConsecutiveOptions {
  readonly runMin: number
  readonly micros: Micros
  readonly horizon: Micros
}

/** A verdict as it is said to the world: it holds, or it is taken back. */
export interface Finding {
  readonly verdict: Verdict
  readonly active: boolean
}

/**
 * Passes on the windows that end a run of at least `runMin`, and takes back those that no longer
 * do.
 */
export function consecutive(options: ConsecutiveOptions) {
  const { runMin, micros, horizon } = options
  const kept = windowsKept(micros, horizon)
  const columns = { said: u8(kept) }
  const finding = { verdict: undefined as unknown as Verdict, active: false }
  const operator: Operator<Verdict, Finding, typeof columns> = {
    declaration: `consecutive ${JSON.stringify(options)}`,
    columns,
    step(c, slot, verdict, out) {
      const place = ringPlace(verdict.start, micros, kept)
      const active = verdict.spike && verdict.run >= runMin
      // A verdict that was never a spike is first known here: what the ring says is of an older
      // window.
      const said = verdict.wasSpike && c.said.get(slot, place) === 1
      c.said.set(slot, active ? 1 : 0, place)
      if (!active && !said) return
      finding.verdict = verdict
      finding.active = active
      out(finding)
    },
  }
  return operator
}
