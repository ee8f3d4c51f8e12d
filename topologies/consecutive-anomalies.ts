import { topology } from '../src/engine/dsl.ts'
import { publishAnomalies } from './anomalies.ts'
import { consecutive } from './operators/consecutive.ts'
import { HORIZON } from './readings.ts'
import { QUARTER } from './rolling-baseline.ts'
import { spikes } from './spikes.ts'

/** One anomaly for each quarter hour from the third spike in a row on. */
export const consecutiveAnomalies = topology('consecutive-anomalies', () => {
  const runs = spikes.exports.verdicts.scan(
    'run',
    consecutive({ runMin: 3, micros: QUARTER, horizon: HORIZON }),
  )
  publishAnomalies('run', runs, 'consecutive_anomalies', () => 'high')
  return { runs }
})
