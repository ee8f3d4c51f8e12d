import { topology } from '../src/engine/dsl.ts'
import type { SilenceEvent } from '../src/engine/nodes.ts'
import { MICROS_PER_SECOND } from '../src/kernel/time.ts'
import type { AnomalyRecord } from '../src/schemas/records.ts'
import { TABLES } from '../src/schemas/tables.ts'
import { readings } from './readings.ts'

/** A silence is of the whole meter, and of no window. */
const ALL = '*'
const stateOf = (event: SilenceEvent) => (event.state === 'silent' ? 'active' : 'ended')

/** One anomaly for each silence of a meter, and the same one again when it has ended. */
export const silence = topology('silence', () => {
  const events = readings.exports.measured.silence('events')
  events.toTable('silence-rows', TABLES.anomalies, {
    ts: (e) => e.since,
    tenant: (e) => e.tenant,
    meter_id: (e) => e.meterId,
    channel: () => ALL,
    width: () => ALL,
    kind: () => 'silence',
    score: () => NaN,
    pct_change: () => NaN,
    expected: (e) => e.expected / MICROS_PER_SECOND,
    lower: () => NaN,
    upper: () => NaN,
    value: (e) => e.silentFor / MICROS_PER_SECOND,
    severity: () => 'medium',
    state: stateOf,
    run: () => 0,
    revision: (e) => e.revision,
  })
  events.toLog('silence-records', {
    topic: 'anomalies',
    record: 'anomaly',
    map: (e): AnomalyRecord => ({
      tenant: e.tenant,
      meterId: e.meterId,
      channel: ALL,
      width: ALL,
      kind: 'silence',
      start: e.since,
      end: e.since + e.silentFor,
      score: null,
      pctChange: null,
      expected: e.expected / MICROS_PER_SECOND,
      lower: null,
      upper: null,
      value: e.silentFor / MICROS_PER_SECOND,
      severity: 'medium',
      state: stateOf(e),
      run: 0,
      revision: e.revision,
    }),
  })
  return { events }
})
