import { hasCode } from '../kernel/errors.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { Scheduler } from '../kernel/time.ts'
import type { CommitRequest, OutgoingRecord, Producer } from '../log/log.ts'
import type { EngineMetrics } from './engine-metrics.ts'
import type { Lane } from './lane.ts'
import { mergedRows } from './rows.ts'
import type { RowBatch, TableSink } from './sink.ts'

export interface FlusherOptions {
  readonly tables: TableSink
  readonly producer: Producer
  readonly metrics: EngineMetrics
  readonly scheduler: Scheduler
  readonly lanes: () => Iterable<Lane>
  /** The group's current generation; -1 while there is none. */
  readonly generation: () => number
  readonly commit: (requests: readonly CommitRequest[]) => Promise<void>
  readonly onFailed: (error: unknown) => void
}

/**
 * Sends what the tasks emit, in rounds over all lanes. A round sends only of partitions that are
 * ours in the current generation; all of it is acknowledged before the offsets that it came from
 * are committed. The next round gathers meanwhile, up to a limit.
 */
export class Flusher {
  private readonly options: FlusherOptions
  private running: Promise<void> | undefined
  private waiting: (() => void)[] = []
  private failed = false

  constructor(options: FlusherOptions) {
    this.options = options
  }

  /** There may be something to send or to commit. */
  wake(): void {
    if (!this.failed) this.running ??= this.run()
  }

  /** Waits while too much is under way: this is what slows the source down. */
  async room(): Promise<void> {
    // A rebalance waits for who waits here, and sending waits for the rebalance: then there is no
    // waiting.
    while (
      this.size > LIMITS.engineOutputRowsMax &&
      !this.failed &&
      this.options.generation() >= 0
    ) {
      this.wake()
      const looked = this.options.scheduler.sleep(LIMITS.engineRoomCheckMs)
      await Promise.race([looked, new Promise<void>((resolve) => this.waiting.push(resolve))])
    }
  }

  private get size(): number {
    let size = 0
    for (const { outputs } of this.options.lanes()) size += outputs.size
    return size
  }

  /** Sends and commits all that is left, for at most `limitMs`. */
  async drain(limitMs: number): Promise<void> {
    this.wake()
    await Promise.race([this.running, this.options.scheduler.sleep(limitMs)])
  }

  private async run(): Promise<void> {
    // Small rounds cost as much as large ones: what comes within a moment goes together.
    await this.options.scheduler.sleep(LIMITS.engineGatherMs)
    try {
      for (;;) {
        const due = this.due()
        if (due.length === 0 || this.failed) break
        await this.round(due)
      }
    } catch (error) {
      this.failed = true
      this.options.onFailed(error)
    } finally {
      this.running = undefined
      this.release()
    }
  }

  /** Lanes that are ours now and have something to send or to commit. */
  private due(): Lane[] {
    const generation = this.options.generation()
    return [...this.options.lanes()].filter(
      (lane) => lane.owned.generation === generation && lane.processed > lane.committed,
    )
  }

  private async round(lanes: readonly Lane[]): Promise<void> {
    const { tables, metrics, scheduler } = this.options
    const taken = lanes.map((lane) => ({ lane, upTo: lane.processed, sent: lane.outputs.take() }))
    this.release()
    const byTable = Map.groupBy(
      taken.flatMap(({ sent }) => sent.tables),
      ({ spec }) => spec.table,
    )
    const rows: RowBatch[] = [...byTable.values()].map(mergedRows)
    const records = new Map<string, OutgoingRecord[]>()
    for (const { sent } of taken) {
      for (const [topic, list] of sent.logs) {
        const before = records.get(topic)
        records.set(topic, before === undefined ? list : before.concat(list))
      }
    }
    const beganMs = scheduler.monotonicMillis()
    await Promise.all([
      ...rows.map((batch) => tables.write(batch)),
      ...[...records].map(([topic, list]) => appendAll(this.options, topic, list)),
    ])
    metrics.flushed(rows, (scheduler.monotonicMillis() - beganMs) / 1_000)
    for (const { lane, upTo } of taken) lane.flushed = upTo
    await this.commit(lanes)
  }

  /**
   * Commits what is flushed. Where a rebalance came between, the next round after it tries again.
   */
  private async commit(lanes: readonly Lane[]): Promise<void> {
    const generation = this.options.generation()
    const ours = lanes.filter((lane) => !lane.lost && lane.owned.generation === generation)
    const requests = ours.map((lane) => ({ ...lane.owned, offset: lane.flushed }))
    if (requests.length === 0) return
    try {
      await this.options.commit(requests)
      ours.forEach((lane, i) => {
        lane.committed = requests[i]!.offset
      })
    } catch (error) {
      if (!hasCode(error, 'log.staleGeneration')) throw error
      this.options.metrics.staleCommit()
    }
  }

  private release(): void {
    const waiting = this.waiting
    this.waiting = []
    for (const resolve of waiting) resolve()
  }
}

/**
 * In requests of a bounded size, in order. A failed one is tried again: readers fold what comes
 * twice.
 */
async function appendAll(
  { producer, scheduler }: FlusherOptions,
  topic: string,
  records: readonly OutgoingRecord[],
): Promise<void> {
  for (let at = 0; at < records.length; at += LIMITS.engineAppendRecords) {
    const part = records.slice(at, at + LIMITS.engineAppendRecords)
    for (let pauseMs = 100; ; pauseMs = Math.min(2 * pauseMs, LIMITS.engineRetryMsMax)) {
      try {
        await producer.append(topic, part)
        break
      } catch (error) {
        if (!isRetryable(error)) throw error
        await scheduler.sleep(pauseMs)
      }
    }
  }
}

function isRetryable(error: unknown): boolean {
  return error instanceof Error && 'retryable' in error && error.retryable === true
}
