import { LIMITS } from '../kernel/limits.ts'
import { formatMicros } from '../kernel/time.ts'
import type { Log } from '../log/log.ts'
import type { Topics } from '../log/topics.ts'
import type { Codecs } from '../schemas/codecs.ts'
import { TABLES } from '../schemas/tables.ts'
import { questdbSql } from '../sinks/questdb-http.ts'
import { ledgerLength, nameOfSha256, readLedger } from './ledger.ts'
import { Claims } from './verify/claims.ts'
import { deadLettersByReason } from './verify/dead-letter-counts.ts'
import { IN_LOG, IdentitySet, type Share } from './verify/identity-set.ts'
import { LogCounts, type Range, walkLog } from './verify/log-identities.ts'
import { Pass, type PassCounts, type TimeRange } from './verify/pass.ts'
import type { Identity, VerifyReport } from './verify/report.ts'
import { walkStored } from './verify/stored-identities.ts'
import { awaitCaughtUp } from './verify/wait.ts'

export type VerifyStep = 'waiting' | 'log' | 'QuestDB' | 'dead letters'

export interface VerifyOptions {
  readonly log: Log
  readonly codecs: Codecs
  readonly topics: Topics
  /** The processors' consumer group. */
  readonly group: string
  readonly questdbUrl: string
  /** Of the tables. */
  readonly prefix: string
  readonly ledger?: string | undefined
  /** How long to wait for processors and QuestDB while nothing moves. */
  readonly patienceMs?: number
  /**
   * Slots of the set of identities, a power of two, nine bytes each; for tests of several passes.
   */
  readonly slotsMax?: number
  readonly stop?: AbortSignal
  readonly progress?: (step: VerifyStep, done: number, total: number) => void
}

/**
 * Compares what the log holds, up to its end at the call, with the rows of `readings` in QuestDB,
 * in both directions, and what was acknowledged with both. Reads everything, and changes nothing.
 *
 * Memory is bounded by `slotsMax`: where the identities are more, they are taken in several passes.
 */
export async function verify(options: VerifyOptions): Promise<VerifyReport> {
  return new Verification(options).run()
}

class Verification {
  private readonly options: VerifyOptions
  private readonly sql: ReturnType<typeof questdbSql>
  private readonly claims = new Claims()
  private readonly missing: Identity[] = []
  private readonly extra: Identity[] = []
  private readonly doubled: Identity[] = []
  private range: Range = { from: [], to: [] }
  private cut: readonly number[] = []
  private walked = new LogCounts()
  private ledgerBytes = 0
  private ledgerLines = 0

  constructor(options: VerifyOptions) {
    this.options = options
    this.sql = questdbSql(options.questdbUrl)
  }

  async run(): Promise<VerifyReport> {
    const { log, topics, ledger, progress } = this.options
    // What the ledger claims now was in the log before its end was asked for.
    if (ledger !== undefined) this.ledgerBytes = ledgerLength(ledger)
    const from = await log.beginOffsets(topics.readings)
    const to = await log.endOffsets(topics.readings)
    this.range = { from, to }
    const notCaughtUp = await this.wait()

    const sum: PassCounts = emptyCounts()
    const shares: Share[] = [{ bits: 0, value: 0 }]
    let passes = 0
    for (let share = shares.pop(); share !== undefined; share = shares.pop()) {
      this.options.stop?.throwIfAborted()
      const pass = await this.pass(share, passes === 0)
      shares.push(...pass.set.left)
      const counts = pass.counts()
      for (const key of Object.keys(sum) as (keyof PassCounts)[]) sum[key] += counts[key]
      await this.name(pass, counts)
      passes++
    }
    const { codecs } = this.options
    const deadLetters = await deadLettersByReason({
      log,
      codec: codecs['dead-letter'],
      topic: topics.deadLetters,
      visit: ({ sha256, element }) => this.claims.deadLetter(nameOfSha256(sha256), element),
      progress: (done, total) => progress?.('dead letters', done, total),
    })
    return this.report(notCaughtUp, sum, deadLetters, passes)
  }

  private wait(): Promise<readonly string[]> {
    const { log, topics, group, prefix, patienceMs, progress } = this.options
    return awaitCaughtUp({
      log,
      sql: this.sql,
      topic: topics.readings,
      group,
      prefix,
      ends: this.range.to,
      patienceMs: patienceMs ?? LIMITS.verifyPatienceMs,
      stop: this.options.stop ?? new AbortController().signal,
      progress: (done, total) => progress?.('waiting', done, total),
    })
  }

  /**
   * Log, QuestDB, what came to the log meanwhile, ledger: each marks the identities of one share.
   */
  private async pass(share: Share, isFirst: boolean): Promise<Pass> {
    const { log, topics, ledger, prefix, progress, slotsMax, stop } = this.options
    const set = new IdentitySet(share, slotsMax ?? LIMITS.verifySlotsMax)
    const total = this.range.to.reduce((sum, end, p) => sum + end - (this.range.from[p] ?? 0), 0)
    const counts = await this.walk(
      this.range,
      ({ high, low }) => set.mark(high, low, IN_LOG),
      (records) => {
        stop?.throwIfAborted()
        progress?.('log', records, total)
      },
    )
    if (isFirst) this.walked = counts
    // Asked again: retention may have deleted records while they were read.
    const begins = await log.beginOffsets(topics.readings)
    this.cut = begins.flatMap((offset, partition) => (offset > 0 ? [partition] : []))
    const retained = { from: counts.atMin, to: counts.atMax }
    const pass = new Pass(set, { partitions: this.range.to.length, cut: this.cut, retained })
    const wanted = await this.rowsWanted(retained)
    if (wanted.from <= wanted.to) {
      await walkStored({
        sql: this.sql,
        table: `${prefix}${TABLES.readings.table}`,
        ...wanted,
        visit: (row) => pass.stored(row),
        progress: (rows, rowsAbout) => {
          stop?.throwIfAborted()
          progress?.('QuestDB', rows, rowsAbout)
        },
      })
    }
    // A processor that runs meanwhile writes rows of readings that came after the call.
    const tail = { from: this.range.to, to: await log.endOffsets(topics.readings) }
    await this.walk(tail, (hash) => pass.inTail(hash))
    if (ledger !== undefined) {
      this.ledgerLines = await pass.ledger(ledger, this.ledgerBytes, this.claims)
    }
    return pass
  }

  /** Where the log has lost its beginning, QuestDB answers for what the ledger has of that time. */
  private async rowsWanted(retained: TimeRange): Promise<TimeRange> {
    const { ledger } = this.options
    if (ledger === undefined || this.cut.length === 0) return retained
    let { from, to } = retained
    for await (const { reading } of readLedger(ledger, this.ledgerBytes)) {
      if (reading === undefined) continue
      from = Math.min(from, reading.at)
      to = Math.max(to, reading.at)
    }
    return { from, to }
  }

  private walk(
    range: Range,
    visit: Parameters<typeof walkLog>[0]['visit'],
    progress: (records: number) => void = () => undefined,
  ): Promise<LogCounts> {
    const { log, codecs, topics } = this.options
    return walkLog({ log, codecs, topic: topics.readings, range, visit, progress })
  }

  /** Finds names for what differs: of missing rows the log alone knows them. */
  private async name(pass: Pass, counts: PassCounts): Promise<void> {
    const { extra, doubled } = pass.unexpected()
    this.extra.push(...extra)
    this.doubled.push(...doubled)
    const wanted = Math.min(LIMITS.verifyNamedMax - this.missing.length, counts.missing)
    if (wanted <= 0) return
    const { log, codecs, topics } = this.options
    const seen = new Set<string>()
    await walkLog({
      log,
      codecs,
      topic: topics.readings,
      range: this.range,
      visit: (hash, _partition, name) => {
        const key = `${hash.high}:${hash.low}`
        if (seen.size >= wanted || !pass.isMissing(hash) || seen.has(key)) return
        seen.add(key)
        this.missing.push(name())
      },
      stop: () => seen.size >= wanted,
    })
  }

  private report(
    notCaughtUp: readonly string[],
    sum: PassCounts,
    deadLetters: VerifyReport['deadLetters'],
    passes: number,
  ): VerifyReport {
    const { walked, claims } = this
    const ledger = this.options.ledger === undefined ? null : claims.report(this.ledgerLines)
    const named = (count: number, names: readonly Identity[]) => ({
      count,
      first: names.slice(0, LIMITS.verifyNamedMax),
    })
    const time = (at: number) => (walked.readings > 0 ? formatMicros(at) : null)
    const differences = sum.missing + sum.extra + sum.doubled + walked.unreadable
    return {
      agrees: notCaughtUp.length === 0 && differences === 0 && (ledger?.lost.count ?? 0) === 0,
      notCaughtUp,
      log: {
        records: walked.records,
        readings: walked.readings,
        measurements: walked.measurements,
        identities: sum.identities,
        unreadable: walked.unreadable,
        from: time(walked.atMin),
        to: time(walked.atMax),
        partitionsCut: this.cut,
      },
      questdb: { rows: sum.rows, notJudged: sum.notJudged },
      missing: named(sum.missing, this.missing),
      extra: named(sum.extra, this.extra),
      doubled: named(sum.doubled, this.doubled),
      deadLetters,
      ledger,
      passes,
    }
  }
}

function emptyCounts(): PassCounts {
  return { identities: 0, rows: 0, missing: 0, extra: 0, doubled: 0, notJudged: 0 }
}
