import { i32 } from '../src/engine/columns.ts'
import { fuse, topology, tumbling } from '../src/engine/dsl.ts'
import type { Operator, Pane } from '../src/engine/nodes.ts'
import { minutes, seconds } from '../src/kernel/time.ts'
import { type Judged, rollingBaseline } from './operators/rolling-baseline.ts'
import { spreadOf } from './operators/spike.ts'

/**
 * The benchmark's topology, as `test/bench/peers/engines/SPEC.md` says it and as the peers compute
 * it: quarter hours of each series, the baseline that each met, whether it is a spike, and spikes
 * in a row.
 */

const QUARTER = minutes(15)
const DEVIATIONS = 3.5
const SHARE = 0.5
/** Nothing in the input is later than that. */
const GRACE = seconds(60)

interface Row {
  readonly pane: Pane
  /** NaN while there are too few windows. */
  readonly median: number
  readonly mad: number
  readonly spike: boolean
  readonly consecutive: number
}

/** Rules 5 and 6: a window that closed is never restated here, so that the run is one number. */
function spikesInARow() {
  const columns = { run: i32() }
  const row = {
    pane: undefined as unknown as Pane,
    ...{ median: NaN, mad: NaN, spike: false, consecutive: 0 },
  }
  const operator: Operator<Judged, Row, typeof columns> = {
    declaration: `spikes-in-a-row ${DEVIATIONS} ${SHARE}`,
    columns,
    step(c, slot, { pane, value, median, mad }, out) {
      const distance = Math.abs(value - median)
      const spike = distance > spreadOf(mad, DEVIATIONS) && distance >= SHARE * Math.abs(median)
      const run = spike ? c.run.get(slot) + 1 : 0
      c.run.set(slot, run)
      row.pane = pane
      row.median = median
      row.mad = mad
      row.spike = spike
      row.consecutive = run
      out(row)
    },
  }
  return operator
}

const known = (value: number) => (isNaN(value) ? null : value)

const bench = topology('bench', (t) => {
  t.readings('measured', { disorder: GRACE, horizon: 0 })
    .window('quarter-hour', tumbling('15m', QUARTER))
    .scan('baseline', rollingBaseline({ windows: 96, windowsMin: 24, micros: QUARTER, horizon: 0 }))
    .scan('spikes', spikesInARow())
    .toLog('rows', {
      topic: 'windows',
      record: 'bench-window',
      map: ({ pane, median, mad, spike, consecutive }) => ({
        tenant: pane.tenant,
        meterId: pane.meterId,
        channel: pane.channel,
        start: pane.start,
        end: pane.end,
        count: pane.count,
        sum: pane.sum,
        min: pane.min,
        max: pane.max,
        mean: pane.mean,
        first: pane.first,
        last: pane.last,
        baselineMedian: known(median),
        baselineMad: known(mad),
        spike,
        consecutive,
      }),
    })
})

export const benchPipeline = fuse('bench', [bench])
