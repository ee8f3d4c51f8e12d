import { Counter, Histogram, type Registry } from 'prom-client'
import { TABLES } from '../schemas/tables.ts'

const OUTCOMES = ['acknowledged', 'failed', 'refused'] as const

export interface SinkMetrics {
  acknowledged(table: string, rows: number, seconds: number): void
  failed(table: string): void
  refused(table: string): void
  unstorable(table: string, rows: number): void
}

export function sinkMetrics(registry: Registry): SinkMetrics {
  const registers = [registry]
  const rows = new Counter({
    name: 'meterloom_questdb_rows_total',
    help: 'Rows that QuestDB has acknowledged, by table; a row that is written again counts again',
    labelNames: ['table'] as const,
    registers,
  })
  const writes = new Counter({
    name: 'meterloom_questdb_writes_total',
    help: 'Requests to write, by table and outcome: acknowledged, failed (sent again) or refused',
    labelNames: ['table', 'outcome'] as const,
    registers,
  })
  const duration = new Histogram({
    name: 'meterloom_questdb_write_seconds',
    help: 'Time from a request to its acknowledgement, retries included, by table',
    labelNames: ['table'] as const,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  })
  const unstorable = new Counter({
    name: 'meterloom_questdb_rows_unstorable_total',
    help: 'Rows left out because they lie before 1970, where QuestDB holds none, by table',
    labelNames: ['table'] as const,
    registers,
  })
  // All there from the start: a counter that begins at 5 looks to Prometheus as if it stood.
  for (const { table } of Object.values(TABLES)) {
    rows.inc({ table }, 0)
    for (const outcome of OUTCOMES) writes.inc({ table, outcome }, 0)
    duration.zero({ table })
    unstorable.inc({ table }, 0)
  }
  return {
    acknowledged(table, count, seconds) {
      rows.inc({ table }, count)
      writes.inc({ table, outcome: 'acknowledged' })
      duration.observe({ table }, seconds)
    },
    failed: (table) => writes.inc({ table, outcome: 'failed' }),
    refused: (table) => writes.inc({ table, outcome: 'refused' }),
    unstorable: (table, count) => unstorable.inc({ table }, count),
  }
}
