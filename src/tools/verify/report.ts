import { formatMicros, type Micros } from '../../kernel/time.ts'

/** What `meterloom verify` answers, and with --json prints. */

export interface Identity {
  readonly tenant: string
  readonly meterId: string
  readonly channel: string
  /** Microseconds, UTC. */
  readonly at: Micros
}

/** How many, and the first of them by name. */
export interface Named<T> {
  readonly count: number
  readonly first: readonly T[]
}

export interface VerifyReport {
  /** Whether all that is compared agrees: the exit code. */
  readonly agrees: boolean
  /** Why QuestDB cannot hold all of the log yet; empty where it has caught up. */
  readonly notCaughtUp: readonly string[]
  readonly log: {
    readonly records: number
    readonly readings: number
    readonly measurements: number
    readonly identities: number
    readonly unreadable: number
    /** Of the retained readings; null where there are none. */
    readonly from: string | null
    readonly to: string | null
    /** Partitions whose beginning the log's retention has deleted. */
    readonly partitionsCut: readonly number[]
  }
  readonly questdb: {
    /** Rows in the time range of the retained log. */
    readonly rows: number
    /** Rows that may come from records which the log no longer holds. */
    readonly notJudged: number
  }
  /** In the log and not in QuestDB. */
  readonly missing: Named<Identity>
  /** In QuestDB and not in the log. */
  readonly extra: Named<Identity>
  /** In QuestDB more than once. */
  readonly doubled: Named<Identity>
  readonly deadLetters: {
    readonly count: number
    readonly byReason: Readonly<Record<string, number>>
  }
  readonly ledger: LedgerReport | null
  readonly passes: number
}

export interface LedgerReport {
  readonly lines: number
  /**
   * Readings and payloads that are not in the log, and were found among the dead letters instead.
   */
  readonly deadLettered: number
  /** Acknowledged, and in neither. */
  readonly lost: Named<string>
}

const plural = (count: number, one: string, many: string) =>
  `${count.toLocaleString('en')} ${count === 1 ? one : many}`

export function identityWords({ tenant, meterId, channel, at }: Identity): string {
  return `${tenant}/${meterId} ${channel} ${formatMicros(at)}`
}

/** The report for people, line by line. */
export function reportLines(report: VerifyReport): string[] {
  const { log, questdb, deadLetters, ledger } = report
  const lines = [...report.notCaughtUp]
  const range = log.from === null ? '' : `, ${log.from} to ${String(log.to)}`
  lines.push(
    `log: ${plural(log.records, 'record', 'records')}, ` +
      `${plural(log.readings, 'reading', 'readings')}, ` +
      `${plural(log.measurements, 'measurement', 'measurements')} of ` +
      `${plural(log.identities, 'identity', 'identities')}${range}`,
  )
  if (log.unreadable > 0) {
    lines.push(`log: ${plural(log.unreadable, 'record', 'records')} that nobody can read`)
  }
  if (log.partitionsCut.length > 0) {
    lines.push(
      `log: retention has deleted the beginning of partitions ${log.partitionsCut.join(', ')}; ` +
        `${plural(questdb.notJudged, 'row', 'rows')} may come from there and are not judged`,
    )
  }
  lines.push(`QuestDB: ${plural(questdb.rows, 'row', 'rows')} in that time`)
  named(lines, 'in the log, not in QuestDB', report.missing, identityWords)
  named(lines, 'in QuestDB, not in the log', report.extra, identityWords)
  named(lines, 'twice in QuestDB', report.doubled, identityWords)
  lines.push(`dead letters: ${deadLetters.count.toLocaleString('en')}`)
  for (const [reason, count] of Object.entries(deadLetters.byReason)) {
    lines.push(`  ${count.toLocaleString('en')} ${reason}`)
  }
  if (ledger !== null) {
    lines.push(
      `ledger: ${plural(ledger.lines, 'line', 'lines')}, ` +
        `${ledger.deadLettered.toLocaleString('en')} of them found among the dead letters`,
    )
    named(lines, 'acknowledged and lost', ledger.lost, (text) => text)
  }
  lines.push(report.agrees ? 'they agree' : 'they do not agree')
  return lines
}

function named<T>(lines: string[], what: string, found: Named<T>, words: (one: T) => string): void {
  if (found.count === 0) return
  lines.push(`${what}: ${found.count.toLocaleString('en')}`)
  for (const one of found.first) lines.push(`  ${words(one)}`)
  if (found.first.length < found.count) lines.push('  ...')
}
