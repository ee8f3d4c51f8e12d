import type { Logger } from 'pino'
import type { Registry as MetricsRegistry } from 'prom-client'
import type { Log, OwnedPartition, Producer, RecordBatch, Subscription } from '../log/log.ts'
import { partitionKey } from '../log/log.ts'
import type { Topics } from '../log/topics.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { Readiness } from '../ops/role.ts'
import type { Registry } from '../registry/registry.ts'
import type { Codecs } from '../schemas/codecs.ts'
import type { Pipeline } from './dsl.ts'
import { EngineMetrics } from './engine-metrics.ts'
import { Flusher } from './flusher.ts'
import { Outputs } from './rows.ts'
import type { TableSink } from './sink.ts'
import { Task } from './task.ts'

export interface RuntimeOptions {
  readonly log: Log
  readonly pipeline: Pipeline
  /** The topic of readings. */
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
  /** The runtime cannot go on: the process should report it and exit. */
  onFailed(error: unknown): void
}

export interface Runtime {
  readiness(): Readiness
  /** Sends what was computed, commits, and leaves the group. */
  stop(): Promise<void>
}

/**
 * Runs a pipeline on the partitions that the group gives to this process.
 *
 * State is made anew from the retained log when a partition comes: silently up to the committed offset,
 * then with its rows emitted. Order of each round: tables and topics acknowledge, then offsets commit, so
 * that every input below the committed offset is in its sinks.
 */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const runtime = new PartitionRuntime(options, await options.log.producer())
  await runtime.start()
  return runtime
}

class PartitionRuntime implements Runtime {
  private readonly tasks = new Map<number, Task>()
  private readonly outputs = new Outputs()
  private readonly flusher: Flusher
  private readonly metrics: EngineMetrics
  private subscription: Subscription | undefined
  private readonly options: RuntimeOptions
  private readonly producer: Producer
  private assigned = false
  private restoring = 0
  private stopped = false
  private lastYieldMs = performance.now()

  constructor(options: RuntimeOptions, producer: Producer) {
    this.options = options
    this.producer = producer
    this.metrics = new EngineMetrics(options.metrics, () => [...this.tasks.values()])
    this.flusher = new Flusher({
      outputs: this.outputs,
      tables: options.tables,
      producer,
      metrics: this.metrics,
      commit: (requests) => this.subscription!.commit(requests),
      onFailed: (error) => this.fail(error),
    })
  }

  async start(): Promise<void> {
    const { log, group, input } = this.options
    this.subscription = await log.subscribe({
      group,
      topics: [input],
      fetchBytesMax: LIMITS.engineFetchBytesMax,
      onAssigned: (owned) => this.assign(owned),
      onRevoked: (lost) => this.revoke(lost),
      onBatch: (batch, owned) => this.take(batch, owned),
      onFailed: (error) => this.fail(error),
    })
  }

  private fail(error: unknown): void {
    if (!this.stopped) this.options.onFailed(error)
  }

  /** Tasks of partitions that stay go on; those of new ones are made anew from the log. */
  private async assign(owned: readonly OwnedPartition[]): Promise<ReadonlyMap<string, number>> {
    const { log, group, input, logger } = this.options
    this.assigned = false
    const committed = await log.committed(group, input)
    const from = new Map<string, number>()
    this.restoring = owned.filter(({ partition }) => !this.tasks.has(partition)).length
    for (const { topic, partition } of owned) {
      let task = this.tasks.get(partition)
      if (task === undefined) {
        task = await this.restore(partition, committed[partition]?.offset ?? -1)
        if (this.stopped) return from
        this.tasks.set(partition, task)
        this.restoring--
      }
      from.set(partitionKey(topic, partition), task.nextOffset)
    }
    logger?.debug({ partitions: owned.map((o) => o.partition) }, 'partitions assigned')
    this.assigned = true
    return from
  }

  /** The state that the log up to the committed offset makes. Nothing of it is emitted again. */
  private async restore(partition: number, committed: number): Promise<Task> {
    const { log, input, pipeline, epoch, registry, codecs, topics } = this.options
    const { outputs } = this
    const task = new Task({ pipeline, partition, epoch, registry, codecs, topics, outputs })
    if (committed <= 0) return task
    task.emitting = false
    for await (const batch of log.read({ topic: input, partition, from: 0, to: committed })) {
      if (this.stopped) break
      await this.process(task, batch)
    }
    task.nextOffset = Math.max(task.nextOffset, committed)
    task.emitting = true
    return task
  }

  private async revoke(lost: readonly OwnedPartition[]): Promise<void> {
    for (const { partition } of lost) this.tasks.delete(partition)
    // What they emitted is a pure function of the log: the new owner's rows are the same.
    await this.flusher.forget(lost)
  }

  private async take(batch: RecordBatch, owned: OwnedPartition): Promise<void> {
    const task = this.tasks.get(batch.partition)
    if (task === undefined || this.stopped) return
    await this.process(task, batch, () => this.flusher.progress(owned, task.nextOffset))
    await this.flusher.room()
  }

  /** In slices, so that heartbeats and health checks are answered meanwhile. */
  private async process(task: Task, batch: RecordBatch, done?: () => void): Promise<void> {
    for (let at = 0; at < batch.count; at += LIMITS.engineSliceRecords) {
      task.process(batch, at, Math.min(batch.count, at + LIMITS.engineSliceRecords))
      done?.()
      if (performance.now() - this.lastYieldMs < LIMITS.engineSliceMs) continue
      await new Promise<void>((resolve) => setImmediate(resolve))
      this.lastYieldMs = performance.now()
    }
  }

  readiness(): Readiness {
    const reasons: string[] = []
    if (this.restoring > 0) reasons.push(`engine: ${this.restoring} partitions are being restored`)
    else if (!this.assigned) reasons.push('engine: the group has assigned no partitions yet')
    if (this.stopped) reasons.push('engine: it is stopping')
    return { ready: reasons.length === 0, reasons }
  }

  async stop(): Promise<void> {
    this.stopped = true
    await this.flusher.drain(LIMITS.engineDrainMs)
    await this.subscription?.close()
    await this.producer.close()
  }
}
