import { topology } from '../src/engine/dsl.ts'
import { publishAnomalies } from './anomalies.ts'
import { consecutive } from './operators/consecutive.ts'
import { spike } from './operators/spike.ts'
import { HORIZON } from './readings.ts'
import { baselines, DEVIATIONS, QUARTER } from './rolling-baseline.ts'

/** One anomaly for each quarter hour that stands far from its own series' last day. */
export const spikes = topology('spikes', () => {
  const verdicts = baselines.exports.judged.scan(
    'spike',
    spike({ deviationsMin: DEVIATIONS, shareMin: 0.5, micros: QUARTER, horizon: HORIZON }),
  )
  // A single spike is a run of one: said while it holds, taken back when it no longer does.
  const found = verdicts.scan(
    'single',
    consecutive({ runMin: 1, micros: QUARTER, horizon: HORIZON }),
  )
  publishAnomalies('spike', found, 'energy_spike', ({ verdict }) => verdict.severity)
  return { verdicts }
})
