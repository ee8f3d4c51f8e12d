import { f64, i32, u8 } from '../../src/engine/columns.ts'
import type { Columns } from '../../src/engine/columns.ts'
import type { Operator, SeriesItem } from '../../src/engine/nodes.ts'
import type { Micros } from '../../src/kernel/time.ts'
import { ringPlace, windowsKept } from './rolling-baseline.ts'
import type { Judged } from './rolling-baseline.ts'

/** 1.4826 makes the MAD an estimate of a normal's standard deviation. */
const MAD_TO_DEVIATION = 1.4826
const MAD_MIN = 1e-9

export interface SpikeOptions {
  readonly deviationsMin: number
  /** How far from the median, as a share of it. */
  readonly shareMin: number
  readonly micros: Micros
  readonly horizon: Micros
}

/** What is thought of one window. */
export interface Verdict extends SeriesItem {
  readonly width: string
  readonly start: Micros
  readonly end: Micros
  readonly value: number
  readonly expected: number
  readonly lower: number
  readonly upper: number
  /** NaN where the expected value is 0. */
  readonly pctChange: number
  readonly score: number
  readonly severity: string
  readonly spike: boolean
  /** Whether the window was a spike when it was last emitted. */
  readonly wasSpike: boolean
  /** Spikes in a row up to and with this window. */
  readonly run: number
  readonly revision: number
}

/** How far from the median a value may lie by the MAD alone. */
export function spreadOf(mad: number, deviations: number): number {
  return deviations * MAD_TO_DEVIATION * Math.max(mad, MAD_MIN)
}

const columnsOf = (kept: number) => ({
  start: f64(kept),
  value: f64(kept),
  median: f64(kept),
  spread: f64(kept),
  runBefore: i32(kept),
  run: i32(kept),
  revision: f64(kept),
  spike: u8(kept),
  /** The newest window with a sample, and the run up to it. */
  newest: f64(),
  newestRun: f64(),
})

type State = Columns<ReturnType<typeof columnsOf>>

/**
 * Flags a window whose value is far from the median of the series' last windows (Hampel identifier,
 * Davies and Gather 1993; SPEC.md of the benchmark's peers, rules 5 and 6), and counts flags in a
 * row. A restated window is judged anew, and the runs of the windows after it are counted anew.
 */
export function spike(options: SpikeOptions) {
  const { deviationsMin, shareMin, micros, horizon } = options
  const kept = windowsKept(micros, horizon)
  const columns = columnsOf(kept)
  const verdict = new VerdictView()

  function judge(c: State, slot: number, place: number): boolean {
    const median = c.median.get(slot, place)
    const distance = Math.abs(c.value.get(slot, place) - median)
    // Where a side is NaN there is no baseline, or no sample: then it is no spike.
    return distance > c.spread.get(slot, place) && distance >= shareMin * Math.abs(median)
  }

  /** Counts one window; answers the run up to it, and whether what is said of it is another. */
  function settle(c: State, slot: number, place: number, runBefore: number, wasKnown: boolean) {
    const was = c.spike.get(slot, place) === 1
    const now = judge(c, slot, place)
    const empty = isNaN(c.value.get(slot, place))
    const run = now ? runBefore + 1 : empty ? runBefore : 0
    const changed = !wasKnown || was !== now || c.run.get(slot, place) !== run
    c.runBefore.set(slot, runBefore, place)
    c.run.set(slot, run, place)
    c.spike.set(slot, now ? 1 : 0, place)
    verdict.fill(c, slot, place, shareMin, was, now)
    return { run, changed }
  }

  const operator: Operator<Judged, Verdict, typeof columns> = {
    declaration: `spike ${JSON.stringify(options)}`,
    columns,
    step(c, slot, { pane, value, median, mad }, out) {
      const place = ringPlace(pane.start, micros, kept)
      verdict.take(pane)
      c.value.set(slot, value, place)
      if (!pane.restated) {
        c.start.set(slot, pane.start + 1, place)
        c.median.set(slot, median, place)
        c.spread.set(slot, spreadOf(mad, deviationsMin), place)
        c.spike.set(slot, 0, place)
        c.revision.set(slot, pane.revision, place)
        const { run } = settle(c, slot, place, c.newestRun.get(slot), false)
        c.newest.set(slot, pane.start)
        c.newestRun.set(slot, run)
        out(verdict)
        return
      }
      if (c.start.get(slot, place) !== pane.start + 1) return
      let { run } = settle(c, slot, place, c.runBefore.get(slot, place), true)
      verdict.revise(c, slot, place, pane.revision)
      out(verdict)
      const newest = c.newest.get(slot)
      for (let start = pane.start + micros; start <= newest; start += micros) {
        const next = ringPlace(start, micros, kept)
        if (c.start.get(slot, next) !== start + 1) continue
        verdict.move(start, micros)
        const settled = settle(c, slot, next, run, true)
        run = settled.run
        if (!settled.changed) continue
        verdict.revise(c, slot, next, pane.revision)
        out(verdict)
      }
      c.newestRun.set(slot, run)
    },
  }
  return operator
}

class VerdictView implements Verdict {
  tenant = ''
  meterId = ''
  channel = ''
  width = ''
  start = 0
  end = 0
  value = NaN
  expected = NaN
  lower = NaN
  upper = NaN
  pctChange = NaN
  score = NaN
  severity = ''
  spike = false
  wasSpike = false
  run = 0
  revision = 0

  take(pane: SeriesItem & { width: string; start: Micros; end: Micros; revision: number }): void {
    this.tenant = pane.tenant
    this.meterId = pane.meterId
    this.channel = pane.channel
    this.width = pane.width
    this.start = pane.start
    this.end = pane.end
    this.revision = pane.revision
  }

  move(start: Micros, micros: Micros): void {
    this.start = start
    this.end = start + micros
  }

  /** The record that restates may be older than the one that closed the window. */
  revise(
    { revision: known }: Columns<{ revision: ReturnType<typeof f64> }>,
    slot: number,
    place: number,
    revision: number,
  ): void {
    this.revision = Math.max(revision, known.get(slot, place))
    known.set(slot, this.revision, place)
  }

  fill(
    c: Columns<{
      value: ReturnType<typeof f64>
      median: ReturnType<typeof f64>
      spread: ReturnType<typeof f64>
      run: ReturnType<typeof i32>
    }>,
    slot: number,
    place: number,
    shareMin: number,
    was: boolean,
    now: boolean,
  ): void {
    const value = c.value.get(slot, place)
    const median = c.median.get(slot, place)
    const spread = c.spread.get(slot, place)
    const distance = Math.abs(value - median)
    const bound = Math.max(spread, shareMin * Math.abs(median))
    this.value = value
    this.expected = median
    this.lower = median - spread
    this.upper = median + spread
    this.pctChange = median === 0 ? NaN : (100 * (value - median)) / Math.abs(median)
    this.score = distance / (distance + bound)
    this.severity = distance > 2 * bound ? 'high' : 'medium'
    this.spike = now
    this.wasSpike = was
    this.run = c.run.get(slot, place)
  }
}
