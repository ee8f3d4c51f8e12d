import type { Logger } from 'pino'
import type { Registry as MetricsRegistry } from 'prom-client'
import type { Log, OwnedPartition, Producer, RecordBatch, Subscription } from '../log/log.ts'
import { partitionKey } from '../log/log.ts'
import type { Topics } from '../log/topics.ts'
import { LIMITS } from '../kernel/limits.ts'
import { systemScheduler, timeLimit } from '../kernel/time.ts'
import type { Scheduler } from '../kernel/time.ts'
import type { Readiness } from '../ops/role.ts'
import type { Registry } from '../registry/registry.ts'
import type { Codecs } from '../schemas/codecs.ts'
import type { Pipeline } from './dsl.ts'
import { EngineMetrics } from './engine-metrics.ts'
import { Flusher } from './flusher.ts'
import type { Lane } from './lane.ts'
import { LaneMaker } from './lane-maker.ts'
import { Overtaken } from './overtaken.ts'
import { Slices } from './restore.ts'
import type { TableSink } from './sink.ts'
import { watch } from './watch.ts'
import { followTables } from './tables/advancer.ts'
import { TableFeed } from './tables/table-feed.ts'
import type { StreamTask } from './stream-task.ts'
import { Keeping } from './snapshot/keeping.ts'
import type { KeepingOptions } from './snapshot/keeping.ts'

export interface RuntimeOptions extends KeepingOptions {
  readonly log: Log
  readonly pipeline: Pipeline
  /** The topic that the pipeline reads. */
  readonly input: string
  readonly group: string
  /** How often the input topic was made anew: part of revisions. */
  readonly epoch: number
  readonly topics: Topics
  readonly registry: Registry
  readonly tables: TableSink
  readonly codecs: Codecs
  readonly metrics?: MetricsRegistry
  readonly logger?: Logger
  /** Hours of append time after which a series that says nothing is forgotten. */
  readonly retentionHours?: number
  /** How long after a change of the group restated rows are written once more. */
  readonly rewriteAfterMs?: number
  /** How often it is looked whether the engine gets on; 0: never. */
  readonly watchEveryMs?: number
  /** What is waited by; a test hands in one of its own. */
  readonly scheduler?: Scheduler
  /** The runtime cannot go on: the process should report it and exit. */
  onFailed(error: unknown): void
}

export interface Runtime {
  readiness(): Readiness
  /** The tasks of the partitions that are at work here, by partition. */
  tasks(): readonly StreamTask[]
  /** Sends what was computed, commits, and leaves the group. */
  stop(): Promise<void>
}

/**
 * Runs a pipeline on the partitions that the group gives to this process.
 *
 * State is made anew from the retained log when a partition comes: silently up to the committed
 * offset, then with its rows emitted. Order of each round: tables and topics acknowledge, then
 * offsets commit, so that every input below the committed offset is in its sinks.
 */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  // A request has failed while the session still holds: afterwards another member owns.
  const requestTimeoutMs = LIMITS.logSessionMs / 2
  const producer = await options.log.producer({ requestTimeoutMs })
  const runtime = new PartitionRuntime(options, producer)
  await runtime.start()
  return runtime
}

class PartitionRuntime implements Runtime {
  private readonly lanes = new Map<number, Lane>()
  private readonly flusher: Flusher
  private readonly metrics: EngineMetrics
  private readonly slices: Slices
  private readonly keeping: Keeping
  private readonly maker: LaneMaker
  private readonly overtaken: Overtaken
  private readonly stopping = new AbortController()
  private subscription: Subscription | undefined
  private readonly options: RuntimeOptions
  private readonly producer: Producer
  private assigned = false
  private restoring = 0
  /** Of the input topic. */
  private partitions = 0

  constructor(options: RuntimeOptions, producer: Producer) {
    this.options = options
    this.producer = producer
    const { metrics, tables, scheduler = systemScheduler } = options
    this.slices = new Slices(scheduler)
    this.metrics = new EngineMetrics(metrics, {
      tasks: () => this.tasks(),
      restoring: () => this.restoring,
    })
    this.flusher = new Flusher({
      tables,
      producer,
      metrics: this.metrics,
      scheduler,
      lanes: () => this.lanes.values(),
      generation: () => this.subscription?.generation ?? -1,
      commit: (requests) => this.subscription!.commit(requests),
      onCommitted: (lane) => this.keeping.snapshots.named(lane),
      onFailed: (error) => this.fail(error),
    })
    this.keeping = new Keeping(options, {
      ...{ slices: this.slices, producer, scheduler },
      lanes: () => this.lanes,
      onWhole: () => this.flusher.wake(),
    })
    this.overtaken = new Overtaken(options, this.metrics)
    const feed = new TableFeed(options.log, scheduler)
    const { keeping, overtaken } = this
    this.maker = new LaneMaker(options, { keeping, overtaken, feed, scheduler })
  }

  async start(): Promise<void> {
    const { log, group, input, tables, scheduler = systemScheduler } = this.options
    const { watchEveryMs: everyMs = LIMITS.engineWatchMs } = this.options
    this.partitions = await log.partitionCount(input)
    const { producer, lanes } = this
    const generation = () => this.subscription?.generation ?? -1
    const told = { producer, lanes: () => lanes.values(), generation }
    await followTables(this.options, told, this.stopping.signal)
    this.subscription = await log.subscribe({
      group,
      topics: [input],
      fetchBytesMax: LIMITS.engineFetchBytesMax,
      onRebalancing: (settled) => this.handOver(settled),
      onAssigned: (owned) => this.assign(owned),
      onRevoked: (lost) => this.revoke(lost),
      onBatch: (batch, owned) => this.take(batch, owned),
      onFailed: (error) => this.fail(error),
    })
    if (everyMs === 0) return
    void watch({
      ...{ log, input, scheduler, everyMs, partitions: this.partitions },
      stop: this.stopping.signal,
      lanes: () => this.lanes,
      restoring: () => this.restoring,
      away: () => tables.problems?.() ?? [],
      onFailed: (error) => this.fail(error),
    })
  }

  tasks(): readonly StreamTask[] {
    return [...this.lanes].sort(([a], [b]) => a - b).map(([, { task }]) => task)
  }

  private get stopped(): boolean {
    return this.stopping.signal.aborted
  }

  private fail(error: unknown): void {
    if (!this.stopped) this.options.onFailed(error)
  }

  /** Lanes of partitions that stay go on; those of new ones are made anew from the log. */
  private async assign(owned: readonly OwnedPartition[]): Promise<ReadonlyMap<string, number>> {
    const { log, group, input, logger } = this.options
    this.assigned = false
    const [committed, begins] = await Promise.all([
      log.committed(group, input),
      log.beginOffsets(input),
    ])
    const around = { begins, partitions: this.partitions }
    const from = new Map<string, number>()
    this.restoring = owned.length
    for (const one of owned) {
      const last = committed[one.partition] ?? { offset: -1, metadata: '' }
      const lane =
        this.kept(one, last.offset) ??
        (await this.maker.make(one, last, around, this.stopping.signal))
      this.restoring--
      if (this.stopped) return from
      this.lanes.set(one.partition, lane)
      from.set(partitionKey(one.topic, one.partition), lane.task.nextOffset)
    }
    logger?.debug({ partitions: owned.map((o) => o.partition) }, 'partitions assigned')
    this.assigned = true
    this.rewriteLater()
    this.flusher.resume()
    return from
  }

  /**
   * The lane of a partition that never left; undefined where somebody else may have had it since.
   */
  private kept(owned: OwnedPartition, committed: number): Lane | undefined {
    const lane = this.lanes.get(owned.partition)
    if (lane === undefined) return undefined
    // Our own last commit may have come after the question; nobody's has come past it.
    if (committed <= lane.committed) {
      lane.owned = owned
      return lane
    }
    lane.lost = true
    this.lanes.delete(owned.partition)
    return undefined
  }

  /**
   * The group has changed, and who comes back may be one that was frozen: what it had under way
   * then may reach the tables behind what we have written. When that is over, rows that took the
   * place of others are written once more.
   */
  private rewriteLater(): void {
    const { scheduler = systemScheduler, rewriteAfterMs = LIMITS.engineRewriteMs } = this.options
    const rewriteAtMs = scheduler.monotonicMillis() + rewriteAfterMs
    for (const lane of this.lanes.values()) lane.rewriteAtMs = rewriteAtMs
    void scheduler.sleep(rewriteAfterMs, this.stopping.signal).then(() => {
      if (!this.stopped) this.flusher.wake()
    })
  }

  /** Before others may own our partitions: what is computed is sent and committed, if in time. */
  private async handOver(settled: Promise<unknown>): Promise<void> {
    const { scheduler = systemScheduler } = this.options
    const limitMs = this.stopped ? LIMITS.engineDrainMs : LIMITS.engineHandOverMs
    this.flusher.hurry()
    const limit = timeLimit(scheduler, limitMs)
    await Promise.race([settled, limit.passed])
    limit.end()
    await this.flusher.handOver(limitMs)
  }

  private revoke(lost: readonly OwnedPartition[]): Promise<void> {
    // What they emitted and is not sent is a pure function of the log: the new owner emits it
    // again.
    for (const { partition } of lost) {
      const lane = this.lanes.get(partition)
      if (lane !== undefined) lane.lost = true
      this.lanes.delete(partition)
    }
    return Promise.resolve()
  }

  private async take(batch: RecordBatch, owned: OwnedPartition): Promise<void> {
    const lane = this.lanes.get(batch.partition)
    if (lane === undefined || this.stopped || lane.owned.generation !== owned.generation) return
    await this.overtaken.took(batch, lane.task.nextOffset)
    const { scheduler = systemScheduler } = this.options
    lane.outputs.takenMillis = scheduler.monotonicMillis()
    const measured = this.metrics.batch()
    await this.slices.run(lane.task, batch, () => {
      lane.processed = lane.task.nextOffset
      this.flusher.wake()
    })
    measured()
    this.keeping.snapshots.consider()
    await this.flusher.room()
  }

  /**
   * Restoring is being behind, not being unfit: how far behind, the lag and `restoring` metrics
   * tell.
   */
  readiness(): Readiness {
    const reasons: string[] = []
    if (this.stopped) reasons.push('engine: it is stopping')
    else if (!this.assigned && this.restoring === 0) {
      reasons.push('engine: the group has assigned no partitions yet')
    }
    return { ready: reasons.length === 0, reasons }
  }

  async stop(): Promise<void> {
    this.stopping.abort()
    await this.keeping.snapshots.last(LIMITS.snapshotStopMs)
    // Closing hands over first.
    await this.subscription?.close()
    await this.producer.close()
  }
}
