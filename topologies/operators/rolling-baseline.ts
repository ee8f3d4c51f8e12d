import { RankedValues } from '../../src/analytics/ranked-values.ts'
import { f64, u16, u8 } from '../../src/engine/columns.ts'
import type { Operator, Pane } from '../../src/engine/nodes.ts'
import type { Micros } from '../../src/kernel/time.ts'

export interface RollingBaselineOptions {
  /** How many of the series' last windows make the baseline. */
  readonly windows: number
  /** Fewer than these make none. */
  readonly windowsMin: number
  /** The width of the windows, and how long one can be restated after it closed. */
  readonly micros: Micros
  readonly horizon: Micros
}

/** A window beside the baseline that it met when it closed. */
export interface Judged {
  readonly pane: Pane
  /** The window's mean; of a register its energy in Wh. NaN where it has no sample any more. */
  readonly value: number
  /** NaN while there are too few windows. */
  readonly median: number
  readonly mad: number
  readonly windows: number
}

const PLACES_OF_A_BYTE = 256

/** How many windows back from the newest can still be restated. */
export function windowsKept(micros: Micros, horizon: Micros): number {
  return Math.ceil(horizon / micros) + 3
}

/** The place of a window in a ring of `kept` windows. */
export function ringPlace(start: Micros, micros: Micros, kept: number): number {
  const index = Math.round(start / micros) % kept
  return index < 0 ? index + kept : index
}

/**
 * Median and MAD of a series' last windows before each one (SPEC.md of the benchmark's peers, rule
 * 4). A window that is restated meets the baseline that it met first, and enters the ring no more.
 */
export function rollingBaseline(options: RollingBaselineOptions) {
  const { windows, windowsMin, micros, horizon } = options
  const kept = windowsKept(micros, horizon)
  const ranked = new RankedValues()
  const columns = {
    ring: f64(windows),
    /** Places in the ring by ascending values. */
    order: windows <= PLACES_OF_A_BYTE ? u8(windows) : u16(windows),
    head: u16(),
    filled: u16(),
    keptStart: f64(kept),
    keptMedian: f64(kept),
    keptMad: f64(kept),
    keptCount: u16(kept),
  }
  const judged = { pane: undefined as unknown as Pane, value: 0, median: 0, mad: 0, windows: 0 }
  const operator: Operator<Pane, Judged, typeof columns> = {
    declaration: `rolling-baseline ${JSON.stringify(options)}`,
    columns,
    step(c, slot, pane, out) {
      const place = ringPlace(pane.start, micros, kept)
      judged.pane = pane
      judged.value = pane.cumulative ? pane.energyWh : pane.mean
      if (pane.count === 0) judged.value = NaN
      if (pane.restated) {
        // The start is stored one up, so that 0 says that nothing is.
        if (c.keptStart.get(slot, place) !== pane.start + 1) return
        judged.median = c.keptMedian.get(slot, place)
        judged.mad = c.keptMad.get(slot, place)
        judged.windows = c.keptCount.get(slot, place)
        out(judged)
        return
      }
      if (pane.count === 0) return
      const filled = c.filled.get(slot)
      judged.median = judged.mad = NaN
      judged.windows = filled
      const { ring, order } = c
      const values = ring.writable(slot) as Float64Array
      const places = order.writable(slot) as Uint8Array | Uint16Array
      ranked.look(values, ring.placeOf(slot), places, order.placeOf(slot), filled)
      if (filled >= windowsMin) {
        judged.median = ranked.median()
        judged.mad = ranked.mad()
      }
      c.keptStart.set(slot, pane.start + 1, place)
      c.keptMedian.set(slot, judged.median, place)
      c.keptMad.set(slot, judged.mad, place)
      c.keptCount.set(slot, filled, place)
      const head = c.head.get(slot)
      if (filled < windows) {
        ranked.add(judged.value)
        c.filled.set(slot, filled + 1)
      } else {
        ranked.replace(head, judged.value)
        c.head.set(slot, head + 1 === windows ? 0 : head + 1)
      }
      out(judged)
    },
  }
  return operator
}
