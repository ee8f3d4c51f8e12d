import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { Counter, Gauge, type Registry } from 'prom-client'
import { messageOf } from '../kernel/errors.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { Readiness } from '../ops/role.ts'
import { TABLES } from '../schemas/tables.ts'
import { type QuestdbSql, questdbSql, quoted } from './questdb-http.ts'
import { ResumePlan } from './wal-resume.ts'

/**
 * Watches what QuestDB has acknowledged and not yet made visible. A row that is acknowledged lies
 * in its table's write-ahead log (WAL); a job applies the log to the table, transaction by
 * transaction.
 *
 * - suspended: the job met an error and has stopped, as on a full disk. Rows are still
 *   acknowledged, and nobody sees them. It is asked to go on from time to time.
 * - behind: transactions that are in the log and not in the table.
 */
export interface WalWatch {
  readiness(): Readiness
  stop(): Promise<void>
}

export interface WalWatchOptions {
  readonly questdbUrl: string
  readonly prefix: string
  readonly metrics?: Registry
  readonly logger?: Logger
  /** By default those of `kernel/limits.ts`; for tests. */
  readonly pollEveryMs?: number
  readonly lagTransactionsMax?: number
  readonly lagMsMax?: number
  readonly resumeMsMin?: number
}

/** One table as QuestDB tells of it. */
export interface WalState {
  readonly table: string
  readonly suspended: boolean
  /** The last transaction that is in the table, and the last that is in the log. */
  readonly appliedTransaction: number
  readonly loggedTransaction: number
  /** Why it is suspended, '' where it is not. */
  readonly error: string
}

/** The state of the engine's tables that there are. */
export async function walStates(
  sql: ReturnType<typeof questdbSql>,
  prefix: string,
): Promise<readonly WalState[]> {
  const names = Object.values(TABLES).map(({ table }) => quoted(`${prefix}${table}`))
  const rows = await sql.rows(
    'select name, suspended, writerTxn, sequencerTxn, errorTag, errorMessage from wal_tables() ' +
      `where name in (${names.join(', ')}) order by name`,
  )
  return rows.map(([table, suspended, applied, logged, tag, message]) => ({
    table: String(table),
    suspended: suspended === true,
    appliedTransaction: Number(applied),
    loggedTransaction: Number(logged),
    error: [tag, message].filter((part) => part !== '' && part !== null).join(': '),
  }))
}

/** A table's newest transaction that every reader sees, and its newest one; NaN: no such table. */
async function transactionsOf(sql: QuestdbSql, table: string) {
  const [row] = await sql.rows(
    `select writerTxn, sequencerTxn from wal_tables() where name = ${quoted(table)}`,
  )
  return { applied: Number(row?.[0]), logged: Number(row?.[1]) }
}

/** Resolves when every reader sees what the table has acknowledged, or after the limit. */
export async function untilApplied(sql: QuestdbSql, table: string): Promise<void> {
  const deadlineMs = performance.now() + LIMITS.questdbAppliedMsMax
  for (;;) {
    const { applied, logged } = await transactionsOf(sql, table)
    if (Object.is(applied, logged) || performance.now() > deadlineMs) return
    await sleep(LIMITS.probeEveryMs)
  }
}

/** Resolves when every reader sees what the table has acknowledged by now, whatever comes later. */
export async function appliedSoFar(
  sql: QuestdbSql,
  table: string,
  stop: AbortSignal,
): Promise<void> {
  const { logged } = await transactionsOf(sql, table)
  while (!stop.aborted && (await transactionsOf(sql, table)).applied < logged) {
    await sleep(LIMITS.probeEveryMs)
  }
}

/** Starts to watch; the first look is made at once, and until it is done the watch is not ready. */
export function watchWal(options: WalWatchOptions): WalWatch {
  const sql = questdbSql(options.questdbUrl)
  const pollEveryMs = options.pollEveryMs ?? LIMITS.walPollEveryMs
  const gauges = options.metrics === undefined ? undefined : walGauges(options.metrics)
  const lag = new LagClock(options)
  const plan = new ResumePlan(
    options.resumeMsMin === undefined ? {} : { pauseMsMin: options.resumeMsMin },
  )
  const stop = new AbortController()
  let reasons: readonly string[] = ['questdb: its tables were not looked at yet']

  function look(states: readonly WalState[]): readonly string[] {
    const nowMs = performance.now()
    return states.flatMap((state) => {
      const { table, suspended, error } = state
      gauges?.set(state)
      const late = lag.reason(state, nowMs) ?? []
      if (!suspended) return late
      const why = error === '' ? '' : ` (${error})`
      const remedy = `mend the cause: ${resume(table)} is said again and again, by you as well`
      return [`questdb: table ${table} is suspended${why}; ${remedy}`].concat(late)
    })
  }

  async function resumeSuspended(states: readonly WalState[]): Promise<void> {
    for (const { table, suspended, error } of states) {
      if (!plan.isDue(table, suspended, performance.now())) continue
      gauges?.resumed(table)
      options.logger?.info({ table, error }, 'a table that QuestDB has suspended is resumed')
      await sql.rows(resume(table))
    }
  }

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        const states = await walStates(sql, options.prefix)
        const found = look(states)
        // Said once when it begins, and again where it changes: /ready says it all the time.
        if (found.length > 0 && found.join() !== reasons.join()) {
          options.logger?.warn({ found }, 'QuestDB does not show all that was written')
        }
        reasons = found
        await resumeSuspended(states)
      } catch (error) {
        gauges?.failures.inc()
        reasons = [`questdb: ${messageOf(error)}`]
      }
      await sleep(pollEveryMs, undefined, { signal: stop.signal }).catch(() => undefined)
    }
  }
  const running = run()
  return {
    readiness: () => ({ ready: reasons.length === 0, reasons }),
    async stop() {
      stop.abort()
      await running
    },
  }
}

const resume = (table: string) => `ALTER TABLE ${quoted(table)} RESUME WAL`

/** Since when each table is too far behind. */
class LagClock {
  private readonly sinceMs = new Map<string, number>()
  private readonly transactionsMax: number
  private readonly lagMsMax: number

  constructor(options: WalWatchOptions) {
    this.transactionsMax = options.lagTransactionsMax ?? LIMITS.walLagTransactionsMax
    this.lagMsMax = options.lagMsMax ?? LIMITS.walLagMsMax
  }

  reason(state: WalState, nowMs: number): string | undefined {
    const { table, appliedTransaction, loggedTransaction } = state
    const behind = loggedTransaction - appliedTransaction
    if (behind <= this.transactionsMax) {
      this.sinceMs.delete(table)
      return undefined
    }
    const sinceMs = this.sinceMs.get(table) ?? nowMs
    this.sinceMs.set(table, sinceMs)
    if (nowMs - sinceMs < this.lagMsMax) return undefined
    const seconds = Math.round((nowMs - sinceMs) / 1000)
    return `questdb: table ${table} is ${behind} transactions behind its log, for ${seconds} s`
  }
}

function walGauges(registry: Registry) {
  const registers = [registry]
  const labelNames = ['table'] as const
  const suspended = new Gauge({
    name: 'meterloom_questdb_wal_suspended',
    help: 'Whether QuestDB has stopped applying what was written to a table: 1 or 0',
    labelNames,
    registers,
  })
  const behind = new Gauge({
    name: 'meterloom_questdb_wal_lag_transactions',
    help: 'Transactions of a table that QuestDB has acknowledged and not yet made visible',
    labelNames,
    registers,
  })
  const failures = new Counter({
    name: 'meterloom_questdb_wal_watch_failures_total',
    help: 'Looks at wal_tables() that failed',
    registers,
  })
  const resumes = new Counter({
    name: 'meterloom_questdb_wal_resumes_total',
    help: 'How often a table that QuestDB had suspended was asked to go on',
    labelNames,
    registers,
  })
  return {
    failures,
    resumed: (table: string) => resumes.inc({ table }),
    set({ table, suspended: isSuspended, appliedTransaction, loggedTransaction }: WalState) {
      suspended.set({ table }, isSuspended ? 1 : 0)
      behind.set({ table }, loggedTransaction - appliedTransaction)
      resumes.inc({ table }, 0)
    },
  }
}
