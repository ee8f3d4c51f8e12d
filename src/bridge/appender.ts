import { LIMITS } from '../kernel/limits.ts'
import type { OutgoingRecord, Producer } from '../log/log.ts'
import type { Topics } from '../log/topics.ts'

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

/**
 * One producer for all connections. What comes in while a request is under way goes out with the next, so
 * that requests grow under load and nobody waits for a timer without it. One at a time: Kafka's client
 * would do the same, and would put what waits into one record batch that the topic may be too small for.
 * The order of the calls is the order in each partition.
 */
export class Appender {
  private readonly options: AppenderOptions
  private waiting: Append[] = []
  private running: Promise<void> | undefined
  private refusals = 0
  private readonly closing = new AbortController()
  /** Why the last request failed; undefined where it did not. */
  failure: unknown

  constructor(options: AppenderOptions) {
    this.options = options
  }

  add(append: Append): void {
    this.waiting.push(append)
    this.running ??= this.run()
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.running
  }

  /** From now on Kafka is not asked again once it has refused: what waits is refused with it. */
  hurry(): void {
    this.closing.abort()
  }

  private async run(): Promise<void> {
    // What else this turn of the loop reads from other sockets shares the request.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.waiting.length > 0) {
      await this.send(this.take())
      if (this.failure === undefined) continue
      await this.backOff()
      if (this.closing.signal.aborted) this.refuseAll(this.failure)
    }
    this.running = undefined
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
    try {
      await Promise.all([
        this.appendAll(topics.readings, readings),
        this.appendAll(topics.deadLetters, deadLetters),
      ])
      this.refusals = 0
    } catch (thrown) {
      error = thrown ?? new Error('refused without a reason')
      this.refusals += 1
    }
    this.failure = error
    onAppended((performance.now() - startedMs) / 1_000, error)
    for (const append of batch) append.done(error)
  }

  private refuseAll(error: unknown): void {
    const all = this.waiting
    this.waiting = []
    for (const append of all) append.done(error)
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

  /** A Kafka that refuses is not to be asked as fast as devices can resend. */
  private async backOff(): Promise<void> {
    const ms = Math.min(
      LIMITS.bridgeAppendRetryMsMin * 2 ** (this.refusals - 1),
      LIMITS.bridgeAppendRetryMsMax,
    )
    const { signal } = this.closing
    if (signal.aborted) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(finish, ms)
      signal.addEventListener('abort', finish, { once: true })
      function finish() {
        clearTimeout(timer)
        signal.removeEventListener('abort', finish)
        resolve()
      }
    })
  }
}

/** What a record takes on its way: its key, its value, and what frames them. */
export function bytesOf(record: OutgoingRecord): number {
  return (record.key?.length ?? 0) + (record.value?.length ?? 0) + FRAMING_BYTES
}

const FRAMING_BYTES = 32
