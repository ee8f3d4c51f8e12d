import { hasCode } from '../kernel/errors.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { CommitRequest, OwnedPartition, Producer } from '../log/log.ts'
import type { EngineMetrics } from './engine-metrics.ts'
import type { Outputs } from './rows.ts'
import type { TableSink } from './sink.ts'

export interface FlusherOptions {
  readonly outputs: Outputs
  readonly tables: TableSink
  readonly producer: Producer
  readonly metrics: EngineMetrics
  commit(requests: readonly CommitRequest[]): Promise<void>
  onFailed(error: unknown): void
}

/**
 * Sends what the tasks emit, in rounds: all rows and records of a round are acknowledged before the offsets
 * that they came from are committed. The next round gathers meanwhile, up to a limit.
 */
export class Flusher {
  private readonly options: FlusherOptions
  private readonly progressed = new Map<number, CommitRequest>()
  private running: Promise<void> | undefined
  private waiting: (() => void)[] = []
  private failed = false

  constructor(options: FlusherOptions) {
    this.options = options
  }

  /** A task has come to `nextOffset`, and all it emitted lies in the outputs. */
  progress(owned: OwnedPartition, nextOffset: number): void {
    this.progressed.set(owned.partition, { ...owned, offset: nextOffset })
    this.running ??= this.run()
  }

  /** Waits while too much is under way: this is what slows the source down. */
  async room(): Promise<void> {
    while (this.options.outputs.size > LIMITS.engineOutputRowsMax && !this.failed) {
      await new Promise<void>((resolve) => this.waiting.push(resolve))
    }
  }

  /** Partitions that belong to somebody else now: their offsets are not ours to commit. */
  async forget(lost: readonly OwnedPartition[]): Promise<void> {
    for (const { partition } of lost) this.progressed.delete(partition)
    await Promise.resolve()
  }

  /** Sends all that is left, for at most `limitMs`. */
  async drain(limitMs: number): Promise<void> {
    const deadline = AbortSignal.timeout(limitMs)
    const over = new Promise<void>((resolve) => {
      deadline.addEventListener('abort', () => resolve(), { once: true })
    })
    await Promise.race([this.running ?? Promise.resolve(), over])
  }

  private async run(): Promise<void> {
    // Small rounds cost as much as large ones: what comes within a moment goes together.
    await new Promise((resolve) => setTimeout(resolve, LIMITS.engineGatherMs))
    try {
      while (this.progressed.size > 0 && !this.failed) await this.round()
    } catch (error) {
      this.failed = true
      this.options.onFailed(error)
    } finally {
      this.running = undefined
      this.wake()
    }
  }

  private async round(): Promise<void> {
    const { outputs, tables, producer, metrics } = this.options
    const requests = [...this.progressed.values()]
    this.progressed.clear()
    const { tables: batches, logs } = outputs.take()
    this.wake()
    const began = performance.now()
    await Promise.all([
      ...batches.map((batch) => tables.write(batch)),
      ...[...logs].map(([topic, records]) => appendAll(producer, topic, records)),
    ])
    metrics.flushed(batches, (performance.now() - began) / 1_000)
    await this.commit(requests)
  }

  private async commit(requests: readonly CommitRequest[]): Promise<void> {
    try {
      await this.options.commit(requests)
    } catch (error) {
      // A rebalance came between: whoever owns the partitions now commits, after the same rows.
      if (!hasCode(error, 'log.staleGeneration')) throw error
      this.options.metrics.staleCommit()
    }
  }

  private wake(): void {
    const waiting = this.waiting
    this.waiting = []
    for (const resolve of waiting) resolve()
  }
}

/** In requests of a bounded size, in order. A failed one is tried again: readers fold what comes twice. */
async function appendAll(
  producer: Producer,
  topic: string,
  records: readonly Parameters<Producer['append']>[1][number][],
): Promise<void> {
  for (let at = 0; at < records.length; at += LIMITS.engineAppendRecords) {
    const part = records.slice(at, at + LIMITS.engineAppendRecords)
    for (let pauseMs = 100; ; pauseMs = Math.min(2 * pauseMs, LIMITS.engineRetryMsMax)) {
      try {
        await producer.append(topic, part)
        break
      } catch (error) {
        if (!isRetryable(error)) throw error
        await new Promise((resolve) => setTimeout(resolve, pauseMs))
      }
    }
  }
}

function isRetryable(error: unknown): boolean {
  return error instanceof Error && 'retryable' in error && error.retryable === true
}
