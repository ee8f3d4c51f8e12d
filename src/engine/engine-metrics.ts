import { Counter, Gauge, Histogram } from 'prom-client'
import type { Registry } from 'prom-client'
import { TABLES } from '../schemas/tables.ts'
import type { TaskCounts } from './counts.ts'
import { noCounts } from './counts.ts'
import type { RowBatch } from './sink.ts'
import type { StreamTask } from './stream-task.ts'

const COUNTED: readonly (readonly [keyof TaskCounts, string, string])[] = [
  ['records', 'records', 'Records taken in, control records included'],
  ['measurements', 'measurements', 'Measurements taken in'],
  ['duplicates', 'duplicates', 'Measurements that lost to one of the same identity'],
  ['bad', 'bad', 'Measurements of quality BAD: stored, in no window'],
  [
    'beyondHorizon',
    'beyond_horizon',
    'Measurements too late for their windows: stored as rows alone',
  ],
  ['restated', 'restated_windows', 'Windows emitted again because a late measurement changed them'],
  ['unreadable', 'unreadable', 'Records of the readings topic that are none'],
  ['advances', 'table_advances', 'Advances of lookup tables taken in, repeats included'],
  ['tableRecords', 'table_records', 'Records of lookup tables taken in'],
  ['tableRefused', 'table_refused', 'Records of lookup tables that are no rows of them'],
  ['relooked', 'relooked_windows', 'Windows looked up anew because a table was corrected'],
  ['silent', 'silences', 'Meters that fell silent'],
  ['back', 'silences_ended', 'Silent meters that were heard again'],
  ['repaired', 'repaired_windows', 'Windows emitted again because repair has computed them anew'],
  ['repairsStale', 'repairs_stale', 'Results of repair that were out of date, and not taken'],
  ['repairsUnfrozen', 'repairs_unfrozen', 'Repaired windows that could still change: not taken'],
  ['crowdedOut', 'crowded_out', 'Samples forgotten before their horizon, for want of room'],
]

interface Watched {
  readonly tasks: () => readonly StreamTask[]
  readonly restoring: () => number
}

/** The engine's metrics. Without a registry they count for nobody. */
export class EngineMetrics {
  private readonly rows: Counter<'table'> | undefined
  private readonly flushSeconds: Histogram | undefined
  private readonly stale: Counter | undefined
  private readonly staleSends: Counter | undefined
  private readonly rewrittenRows: Counter | undefined
  private readonly batchSeconds: Histogram | undefined
  private readonly overtakenRecords: Counter<'kind'> | undefined

  constructor(registry: Registry | undefined, { tasks, restoring }: Watched) {
    if (registry === undefined) return
    const registers = [registry]
    this.rows = new Counter({
      name: 'meterloom_engine_rows_total',
      help: 'Rows acknowledged, by table',
      labelNames: ['table'],
      registers,
    })
    // There from the start: a counter that begins at 5 looks to Prometheus as if it stood.
    for (const { table } of Object.values(TABLES)) {
      // Totals are not of this pipeline.
      if (table !== TABLES.totals.table) this.rows.inc({ table }, 0)
    }
    this.flushSeconds = new Histogram({
      name: 'meterloom_engine_flush_seconds',
      help: 'Time from sending a round of rows and records to the last acknowledgement',
      buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
      registers,
    })
    this.batchSeconds = new Histogram({
      name: 'meterloom_engine_batch_seconds',
      help:
        'Time that a batch of the log is computed in, other work of the process ' +
        'between included',
      buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3],
      registers,
    })
    this.stale = new Counter({
      name: 'meterloom_engine_stale_commits_total',
      help: 'Commits refused because the partitions had another owner by then',
      registers,
    })
    this.staleSends = new Counter({
      name: 'meterloom_engine_stale_sends_total',
      help: 'Rounds broken off because the partitions might have had another owner by then',
      registers,
    })
    this.rewrittenRows = new Counter({
      name: 'meterloom_engine_rewritten_rows_total',
      help: 'Restated rows written once more after the group had changed',
      registers,
    })
    this.overtakenRecords = new Counter({
      name: 'meterloom_engine_overtaken_records_total',
      help: 'Records that retention has taken before they were computed, by what lacks them',
      labelNames: ['kind'],
      registers,
    })
    for (const kind of ['rows', 'state']) this.overtakenRecords.inc({ kind }, 0)
    registerCounts(registers, tasks)
    registerGauges(registers, { tasks, restoring })
  }

  /** A batch begins; what is answered says that it has ended. */
  batch(): () => void {
    const end = this.batchSeconds?.startTimer()
    return () => void end?.()
  }

  flushed(batches: readonly RowBatch[], seconds: number): void {
    this.flushSeconds?.observe(seconds)
    for (const batch of batches) this.rows?.inc({ table: batch.spec.table }, batch.count)
  }

  staleCommit(): void {
    this.stale?.inc()
  }

  staleSend(): void {
    this.staleSends?.inc()
  }

  overtaken(kind: 'rows' | 'state', records: number): void {
    this.overtakenRecords?.inc({ kind }, records)
  }

  rewritten(rows: number): void {
    this.rewrittenRows?.inc(rows)
  }
}

/** What the tasks have counted. Tasks come and go with their partitions; it stays counted. */
function registerCounts(registers: Registry[], tasks: () => readonly StreamTask[]): void {
  const seen = new WeakMap<StreamTask, TaskCounts>()
  for (const [field, name, help] of COUNTED) {
    new Counter({
      name: `meterloom_engine_${name}_total`,
      help,
      registers,
      collect() {
        for (const task of tasks()) {
          const before = seen.get(task) ?? noCounts()
          const grown = task.counts[field] - before[field]
          before[field] = task.counts[field]
          seen.set(task, before)
          this.inc(grown)
        }
      },
    })
  }
}

/** What the tasks are like now. */
function registerGauges(registers: Registry[], { tasks, restoring }: Watched): void {
  const gauge = (name: string, help: string, of: (task: StreamTask) => number) =>
    new Gauge({
      name: `meterloom_engine_${name}`,
      help,
      registers,
      collect() {
        this.set(tasks().reduce((sum, task) => sum + of(task), 0))
      },
    })
  gauge('meters', 'Meters with state in this process', (task) => task.table.meterCount)
  gauge('series', 'Series with state in this process', (task) => task.table.seriesCount)
  gauge('silent_meters', 'Meters that are silent', (task) => task.silence?.silentMeters ?? 0)
  gauge('state_bytes', 'Bytes of state in this process', (task) => task.stateBytes)
  gauge('partitions', 'Partitions that this process owns', () => 1)
  new Gauge({
    name: 'meterloom_engine_restoring_partitions',
    help: 'Partitions whose state is being made anew',
    registers,
    collect() {
      this.set(restoring())
    },
  })
  new Gauge({
    name: 'meterloom_engine_append_lag_seconds',
    help: 'How long ago the record was appended that a partition has come to; of the slowest one',
    registers,
    collect() {
      const oldest = Math.min(...tasks().map(({ appendedMillis }) => appendedMillis))
      this.set(Number.isFinite(oldest) ? Math.max(0, (Date.now() - oldest) / 1_000) : 0)
    },
  })
  new Gauge({
    name: 'meterloom_engine_watermark_lag_seconds',
    help:
      'How far the newest reading of a partition is behind its append time; of the ' +
      'slowest one',
    registers,
    collect() {
      const lags = tasks().map((task) => task.appendedMillis / 1_000 - task.newestAt / 1e6)
      const worst = Math.max(...lags.filter((lag) => Number.isFinite(lag)))
      this.set(Number.isFinite(worst) ? worst : 0)
    },
  })
}
