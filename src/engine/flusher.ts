import { hasCode } from '../kernel/errors.ts'
import { LIMITS } from '../kernel/limits.ts'
import { timeLimit } from '../kernel/time.ts'
import type { Scheduler } from '../kernel/time.ts'
import type { CommitRequest, Producer } from '../log/log.ts'
import { isRetryable } from '../log/patience.ts'
import type { EngineMetrics } from './engine-metrics.ts'
import type { Lane } from './lane.ts'
import { isStale, sendRound } from './round.ts'
import type { TableSink } from './sink.ts'
import { metadataOf } from './snapshot/pointer.ts'

export interface FlusherOptions {
  readonly tables: TableSink
  readonly producer: Producer
  readonly metrics: EngineMetrics
  readonly scheduler: Scheduler
  readonly lanes: () => Iterable<Lane>
  /**
   * The group's current generation; -1 while there is none, or while the broker has not heard of us
   * for the time of a session.
   */
  readonly generation: () => number
  readonly commit: (requests: readonly CommitRequest[]) => Promise<void>
  readonly onCommitted: (lane: Lane) => void
  readonly onFailed: (error: unknown) => void
}

/**
 * Sends what the tasks emit, in rounds over all lanes. A round sends only of partitions that are
 * ours in the current generation, and asks before each request whether they still are; all of it is
 * acknowledged before the offsets that it came from are committed. The next round gathers
 * meanwhile, up to a limit.
 */
export class Flusher {
  private readonly options: FlusherOptions
  private running: Promise<void> | undefined
  private waiting: (() => void)[] = []
  private failed = false
  /** The group rebalances: nobody waits for room, and what is under way is soon broken off. */
  private hurried = false
  private round = new AbortController()

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
      !this.hurried &&
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

  /** The group is about to change: who waits for room waits no more, until `resume`. */
  hurry(): void {
    this.hurried = true
    this.release()
  }

  /** The group has changed: what could not be sent or committed before is now. */
  resume(): void {
    this.hurried = false
    this.wake()
  }

  /**
   * Sends and commits what is left, for at most `limitMs`; what is under way then is broken off, so
   * that nothing of ours comes after what another owner sends.
   */
  async handOver(limitMs: number): Promise<void> {
    const limit = timeLimit(this.options.scheduler, limitMs)
    while (this.due().length > 0 && !this.failed && !limit.isOver) {
      this.wake()
      await Promise.race([this.running, limit.passed])
    }
    this.round.abort()
    // A commit that nobody answers is the broker's to refuse: it bears the generation that is over.
    await Promise.race([this.running, limit.passed])
    limit.end()
  }

  private async run(): Promise<void> {
    try {
      for (;;) {
        // Small rounds cost as much as large ones: what comes within a moment goes together.
        await this.options.scheduler.sleep(LIMITS.engineGatherMs)
        const due = this.due()
        if (due.length === 0 || this.failed) break
        if (!(await this.send(due))) break
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
    const nowMs = this.options.scheduler.monotonicMillis()
    return [...this.options.lanes()].filter(
      (lane) =>
        lane.owned.generation === generation &&
        (lane.processed > lane.committed || lane.rewriteAtMs <= nowMs || hasNews(lane)),
    )
  }

  /** One round. False where it could not be ended now: it is tried again later. */
  private async send(lanes: readonly Lane[]): Promise<boolean> {
    const { metrics, scheduler } = this.options
    const generation = this.options.generation()
    this.round = new AbortController()
    const { signal } = this.round
    const holds = () => !signal.aborted && this.options.generation() === generation
    for (const lane of lanes) this.take(lane)
    this.release()
    const beganMs = scheduler.monotonicMillis()
    try {
      const parts = lanes.flatMap(({ unsent }) => unsent ?? [])
      const rows = await sendRound({ ...this.options, claim: { holds, signal } }, parts)
      metrics.flushed(rows, (scheduler.monotonicMillis() - beganMs) / 1_000)
    } catch (error) {
      if (!isStale(error)) throw error
      metrics.staleSend()
      this.lookAgain()
      return false
    }
    for (const lane of lanes) {
      lane.flushed = lane.unsent!.upTo
      lane.unsent = undefined
    }
    return this.commit(lanes)
  }

  /** What a round that was broken off has left of a lane goes first, and alone. */
  private take(lane: Lane): void {
    if (lane.unsent !== undefined) return
    const { tables, logs } = lane.outputs.take()
    if (lane.rewriteAtMs <= this.options.scheduler.monotonicMillis()) {
      lane.rewriteAtMs = Infinity
      // Behind what was emitted since: what is written again is the newest of each identity.
      const again = lane.outputs.restated.map((rows) => rows.batch())
      this.options.metrics.rewritten(again.reduce((sum, { count }) => sum + count, 0))
      tables.push(...again.filter(({ count }) => count > 0))
    }
    lane.unsent = { upTo: lane.processed, tables, logs }
  }

  /** A broker that was out of reach may have kept us all the same: no rebalance wakes us then. */
  private lookAgain(): void {
    void this.options.scheduler.sleep(LIMITS.engineClaimCheckMs).then(() => this.wake())
  }

  /**
   * Commits what is flushed. Where a rebalance came between, the next round after it tries again;
   * where the broker is away (false), a later one does.
   */
  private async commit(lanes: readonly Lane[]): Promise<boolean> {
    const generation = this.options.generation()
    const ours = lanes.filter(
      (lane) =>
        !lane.lost &&
        lane.owned.generation === generation &&
        (lane.flushed > lane.committed || hasNews(lane)),
    )
    const requests = ours.map((lane) => {
      return { ...lane.owned, offset: lane.flushed, metadata: snapshotsOf(lane) }
    })
    if (requests.length === 0) return true
    try {
      await this.options.commit(requests)
      ours.forEach((lane, i) => {
        const { offset, metadata } = requests[i]!
        lane.committed = offset
        lane.named = metadata
        this.options.onCommitted(lane)
      })
    } catch (error) {
      if (isRetryable(error)) {
        this.lookAgain()
        return false
      }
      if (!hasCode(error, 'log.staleGeneration')) throw error
      this.options.metrics.staleCommit()
    }
    return true
  }

  private release(): void {
    const waiting = this.waiting
    this.waiting = []
    for (const resolve of waiting) resolve()
  }
}

/** What a commit of the lane attaches: the snapshots that are of use with it. */
function snapshotsOf({ history, flushed }: Lane): string {
  return metadataOf(history.pointers(flushed))
}

/** Whether a snapshot is of use that no commit has named. */
function hasNews(lane: Lane): boolean {
  return snapshotsOf(lane) !== lane.named
}
