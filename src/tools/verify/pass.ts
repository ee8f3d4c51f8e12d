import { murmur2 } from '../../kernel/ids.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { Micros } from '../../kernel/time.ts'
import { type LedgerReading, readLedger } from '../ledger.ts'
import type { Claims } from './claims.ts'
import type { CsvRow } from './csv-rows.ts'
import { IdentityHash } from './identity-hash.ts'
import {
  IN_LOG,
  IN_TAIL,
  type IdentitySet,
  MAY_BE_DELETED,
  STORED,
  STORED_TWICE,
} from './identity-set.ts'
import type { Identity } from './report.ts'

/**
 * One pass: the identities of one share, told apart by where they were seen. What is counted is the
 * marks at its end, so that a share that was halved on the way counts what is left of it.
 */
export interface PassCounts {
  identities: number
  rows: number
  missing: number
  extra: number
  doubled: number
  notJudged: number
}

export interface TimeRange {
  /** Both included. */
  readonly from: Micros
  readonly to: Micros
}

export interface PassOptions {
  readonly partitions: number
  /** Those whose beginning was deleted. */
  readonly cut: readonly number[]
  /** Of the readings that the log retains. */
  readonly retained: TimeRange
}

export class Pass {
  /** With what is in the log marked already. */
  readonly set: IdentitySet
  private readonly partitions: number
  private readonly cut: ReadonlySet<number>
  private readonly retained: TimeRange
  private readonly hash = new IdentityHash()
  /** The names of rows that nobody expected, by hash: enough of them to tell the first. */
  private readonly names = new Map<string, Identity>()

  constructor(set: IdentitySet, options: PassOptions) {
    this.set = set
    this.partitions = options.partitions
    this.cut = new Set(options.cut)
    this.retained = options.retained
  }

  inTail({ high, low }: IdentityHash): void {
    this.set.mark(high, low, IN_TAIL)
  }

  stored(row: CsvRow): void {
    const { hash, set } = this
    const { bytes, starts, ends, at } = row
    hash.begin()
    for (let k = 0; k < 3; k++) hash.text(bytes, starts[k]!, ends[k]!)
    hash.end(at)
    const { high, low } = hash
    if (!set.holds(low)) return
    const isCut = this.cut.size > 0 && this.cut.has(this.partitionOf(row))
    // Outside of the log's time nothing is compared: such a row only answers for an old ledger.
    if (!isCut && (at < this.retained.from || at > this.retained.to)) return
    const before = set.mark(high, low, isCut ? STORED | MAY_BE_DELETED : STORED)
    const twice = (before & STORED) !== 0
    if (twice) set.mark(high, low, STORED_TWICE)
    else if (isCut || (before & IN_LOG) !== 0) return
    if (this.names.size >= LIMITS.verifyNamesKeptMax) return
    this.names.set(`${high}:${low}`, nameOf(row))
  }

  private partitionOf({ bytes, starts, ends }: CsvRow): number {
    const tenant = bytes.subarray(starts[0], ends[0])
    const meterId = bytes.subarray(starts[1], ends[1])
    const key = Buffer.concat([tenant, Buffer.from('/'), meterId])
    return (murmur2(key) & 0x7fffffff) % this.partitions
  }

  /** Asks of each line whether its readings are there. @returns The lines. */
  async ledger(path: string, length: number, claims: Claims): Promise<number> {
    let lines = 0
    for await (const { reading, payload } of readLedger(path, length)) {
      lines++
      if (reading === undefined || !this.holdsAll(reading)) claims.claim(payload, reading)
    }
    return lines
  }

  private holdsAll({ tenant, meterId, channels, at }: LedgerReading): boolean {
    return channels.every((channel) => this.isThere({ tenant, meterId, channel, at }))
  }

  private isThere({ tenant, meterId, channel, at }: Identity): boolean {
    const { hash } = this
    hash.begin()
    for (const text of [tenant, meterId, channel]) {
      const bytes = Buffer.from(text)
      hash.text(bytes, 0, bytes.length)
    }
    hash.end(at)
    // One of another share is asked for in the pass of that share.
    if (!this.set.holds(hash.low)) return true
    return (this.set.marksOf(hash.high, hash.low) & (IN_LOG | IN_TAIL | MAY_BE_DELETED)) !== 0
  }

  counts(): PassCounts {
    const counts = { identities: 0, rows: 0, missing: 0, extra: 0, doubled: 0, notJudged: 0 }
    this.set.forEach((marks) => {
      const isInLog = (marks & IN_LOG) !== 0
      const isStored = (marks & STORED) !== 0
      if (isInLog) counts.identities++
      if (isStored) counts.rows++
      if (isInLog && !isStored) counts.missing++
      if ((marks & STORED_TWICE) !== 0) counts.doubled++
      if (isExtra(marks)) counts.extra++
      if (isStored && (marks & (IN_LOG | IN_TAIL)) === 0 && (marks & MAY_BE_DELETED) !== 0) {
        counts.notJudged++
      }
    })
    return counts
  }

  isMissing({ high, low }: IdentityHash): boolean {
    if (!this.set.holds(low)) return false
    const marks = this.set.marksOf(high, low)
    return (marks & IN_LOG) !== 0 && (marks & STORED) === 0
  }

  /**
   * The names of what is in QuestDB and should not be, or is there twice, as far as they were kept.
   */
  unexpected(): { extra: Identity[]; doubled: Identity[] } {
    const extra: Identity[] = []
    const doubled: Identity[] = []
    for (const [key, name] of this.names) {
      const [high, low] = key.split(':').map(Number)
      if (!this.set.holds(low!)) continue
      const marks = this.set.marksOf(high!, low!)
      if ((marks & STORED_TWICE) !== 0) doubled.push(name)
      if (isExtra(marks)) extra.push(name)
    }
    return { extra, doubled }
  }
}

function isExtra(marks: number): boolean {
  return (marks & STORED) !== 0 && (marks & (IN_LOG | IN_TAIL | MAY_BE_DELETED)) === 0
}

function nameOf({ bytes, starts, ends, at }: CsvRow): Identity & { at: Micros } {
  const text = (k: number) => bytes.toString('utf8', starts[k], ends[k])
  return { tenant: text(0), meterId: text(1), channel: text(2), at }
}
