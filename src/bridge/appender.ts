import { LIMITS } from '../kernel/limits.ts'
import type { OutgoingRecord, Producer } from '../log/log.ts'
import type { Topics } from '../log/topics.ts'
import { bridgeErrors } from './errors.ts'

/** What one message leaves in the log, and who waits for it. */
export interface Append {
  readonly readings: readonly OutgoingRecord[]
  readonly deadLetters: readonly OutgoingRecord[]
  readonly bytes: number
  /** Called once: without an error when all of it is in the log. */
  readonly done: (error?: unknown) => void
}

export interface AppenderOptions {
  readonly producer: Producer
  readonly topics: Pick<Topics, 'readings' | 'deadLetters'>
  /** How long one request took, and how it ended. */
  readonly onAppended: (seconds: number, error: unknown) => void
}

/** One under way, and one that Kafka's client may send as soon as that one is answered. */
const REQUESTS_MAX = 2

/**
 * One producer for all connections. What comes within 2 ms shares a request, which saves CPU in the
 * bridge and more of it in Kafka. No more than two requests at a time, since Kafka's client sends
 * one, and puts what waits into one record batch, which must stay below what the topic takes. The
 * order of the calls is the order in each partition.
 */
export class Appender {
  private readonly options: AppenderOptions
  private waiting: Append[] = []
  private requests = 0
  private isPlanned = false
  private isCutting = false
  private refusals = 0
  private backOff: NodeJS.Timeout | undefined
  private isHurried = false
  private whenIdle: (() => void)[] = []

  constructor(options: AppenderOptions) {
    this.options = options
  }

  add(append: Append): void {
    this.waiting.push(append)
    this.plan()
  }

  /** Resolves when nothing waits and nothing is under way. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.whenIdle.push(resolve)
      this.plan()
    })
  }

  /** From now on Kafka is not asked again once it has refused: what waits is refused with it. */
  hurry(): void {
    this.isHurried = true
    if (this.backOff === undefined) return
    clearTimeout(this.backOff)
    this.backOff = undefined
    this.refuseWaiting(bridgeErrors.stopping({ waiting: this.waiting.length }))
    this.plan()
  }

  private plan(): void {
    if (this.isPlanned || this.requests >= REQUESTS_MAX || this.backOff !== undefined) return
    this.isPlanned = true
    setTimeout(() => {
      this.isPlanned = false
      this.pump()
    }, LIMITS.bridgeGatherMs)
  }

  private pump(): void {
    while (this.waiting.length > 0 && this.requests < REQUESTS_MAX && !this.backOff) {
      // One that must be cut is sent alone: nothing may come between its parts.
      const isCut = this.waiting[0]!.bytes > LIMITS.bridgeAppendBytesMax
      if (this.isCutting || (isCut && this.requests > 0)) break
      this.isCutting = isCut
      void this.send(this.take())
    }
    if (this.waiting.length > 0 || this.requests > 0) return
    for (const resolve of this.whenIdle.splice(0)) resolve()
  }

  /** As many as fit into one request; a single one may be longer, and is cut when it is sent. */
  private take(): readonly Append[] {
    let bytes = 0
    let count = 0
    for (const append of this.waiting) {
      bytes += append.bytes
      if (count > 0 && bytes > LIMITS.bridgeAppendBytesMax) break
      count += 1
    }
    if (count === this.waiting.length) {
      const all = this.waiting
      this.waiting = []
      return all
    }
    return this.waiting.splice(0, count)
  }

  private async send(batch: readonly Append[]): Promise<void> {
    const { topics, onAppended } = this.options
    const readings: OutgoingRecord[] = []
    const deadLetters: OutgoingRecord[] = []
    for (const append of batch) {
      for (const record of append.readings) readings.push(record)
      for (const record of append.deadLetters) deadLetters.push(record)
    }
    const startedMs = performance.now()
    let error: unknown
    this.requests += 1
    try {
      await Promise.all([
        this.appendAll(topics.readings, readings),
        this.appendAll(topics.deadLetters, deadLetters),
      ])
    } catch (thrown) {
      error = thrown ?? new Error('refused without a reason')
    }
    this.requests -= 1
    this.isCutting = false
    onAppended((performance.now() - startedMs) / 1_000, error)
    this.answered(error)
    for (const append of batch) append.done(error)
    this.plan()
  }

  private answered(error: unknown): void {
    if (error === undefined) {
      this.refusals = 0
    } else if (this.isHurried) {
      this.refuseWaiting(error)
    } else if (this.backOff === undefined) {
      // A Kafka that refuses is not to be asked as fast as devices can resend.
      const ms = LIMITS.bridgeAppendRetryMsMin * 2 ** this.refusals
      this.refusals += 1
      this.backOff = setTimeout(
        () => {
          this.backOff = undefined
          this.pump()
        },
        Math.min(ms, LIMITS.bridgeAppendRetryMsMax),
      )
    }
  }

  private refuseWaiting(error: unknown): void {
    for (const append of this.waiting.splice(0)) append.done(error)
  }

  private async appendAll(topic: string, records: readonly OutgoingRecord[]): Promise<void> {
    let from = 0
    let bytes = 0
    for (let i = 0; i < records.length; i += 1) {
      const next = bytesOf(records[i]!)
      if (i > from && bytes + next > LIMITS.bridgeAppendBytesMax) {
        await this.options.producer.append(topic, records.slice(from, i))
        from = i
        bytes = 0
      }
      bytes += next
    }
    if (from === 0 && records.length > 0) await this.options.producer.append(topic, records)
    else if (from < records.length) await this.options.producer.append(topic, records.slice(from))
  }
}

/** What a record takes on its way: its key, its value, and what frames them. */
export function bytesOf(record: OutgoingRecord): number {
  return (record.key?.length ?? 0) + (record.value?.length ?? 0) + FRAMING_BYTES
}

const FRAMING_BYTES = 32
