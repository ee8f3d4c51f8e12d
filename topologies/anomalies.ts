import type { Stream } from '../src/engine/dsl.ts'
import type { AnomalyRecord } from '../src/schemas/records.ts'
import { TABLES } from '../src/schemas/tables.ts'
import type { Finding } from './operators/consecutive.ts'

const known = (value: number): number | null => (isNaN(value) ? null : value)

/** Sends findings of one kind to the anomalies' table and topic. */
export function publishAnomalies(
  name: string,
  stream: Stream<Finding>,
  kind: string,
  severityOf: (finding: Finding) => string,
): void {
  const stateOf = (f: Finding) => (f.active ? 'active' : 'retracted')
  stream.toTable(`${name}-rows`, TABLES.anomalies, {
    ts: ({ verdict }) => verdict.start,
    tenant: ({ verdict }) => verdict.tenant,
    meter_id: ({ verdict }) => verdict.meterId,
    channel: ({ verdict }) => verdict.channel,
    width: ({ verdict }) => verdict.width,
    kind: () => kind,
    score: ({ verdict }) => verdict.score,
    pct_change: ({ verdict }) => verdict.pctChange,
    expected: ({ verdict }) => verdict.expected,
    lower: ({ verdict }) => verdict.lower,
    upper: ({ verdict }) => verdict.upper,
    value: ({ verdict }) => verdict.value,
    severity: severityOf,
    state: stateOf,
    run: ({ verdict }) => verdict.run,
    revision: ({ verdict }) => verdict.revision,
  })
  stream.toLog(`${name}-records`, {
    topic: 'anomalies',
    record: 'anomaly',
    map: (finding): AnomalyRecord => {
      const { verdict } = finding
      return {
        tenant: verdict.tenant,
        meterId: verdict.meterId,
        channel: verdict.channel,
        width: verdict.width,
        kind,
        start: verdict.start,
        end: verdict.end,
        score: known(verdict.score),
        pctChange: known(verdict.pctChange),
        expected: known(verdict.expected),
        lower: known(verdict.lower),
        upper: known(verdict.upper),
        value: known(verdict.value),
        severity: severityOf(finding),
        state: stateOf(finding),
        run: verdict.run,
        revision: verdict.revision,
      }
    },
  })
}
