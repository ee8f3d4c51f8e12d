import { topology } from '../src/engine/dsl.ts'
import { minutes } from '../src/kernel/time.ts'
import { TABLES } from '../src/schemas/tables.ts'
import { rollingBaseline } from './operators/rolling-baseline.ts'
import { spreadOf } from './operators/spike.ts'
import { HORIZON } from './readings.ts'
import { windows } from './windows.ts'

export const QUARTER = minutes(15)
export const DEVIATIONS = 3.5

/** The median of each series' last day of quarter hours, and how far from it is still usual. */
export const baselines = topology('rolling-baseline', () => {
  const judged = windows.exports.quarter.scan(
    'baseline',
    rollingBaseline({ windows: 96, windowsMin: 24, micros: QUARTER, horizon: HORIZON }),
  )
  judged
    .filter('first-known', (j) => !j.pane.restated && !isNaN(j.median))
    .toTable('baseline-rows', TABLES.baselines, {
      ts: (j) => j.pane.start,
      tenant: (j) => j.pane.tenant,
      meter_id: (j) => j.pane.meterId,
      channel: (j) => j.pane.channel,
      width: (j) => j.pane.width,
      kind: () => 'rolling',
      centre: (j) => j.median,
      lower: (j) => j.median - spreadOf(j.mad, DEVIATIONS),
      upper: (j) => j.median + spreadOf(j.mad, DEVIATIONS),
      n: (j) => j.windows,
      revision: (j) => j.pane.revision,
    })
  return { judged }
})
