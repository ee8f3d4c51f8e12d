import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { Counter, Gauge, type Registry as MetricsRegistry } from 'prom-client'
import { hasCode, messageOf } from '../kernel/errors.ts'
import { LIMITS } from '../kernel/limits.ts'
import { controlRecord } from '../log/control.ts'
import type { Log, OwnedPartition, Producer, RecordBatch, Subscription } from '../log/log.ts'
import type { Topics } from '../log/topics.ts'
import type { Registry } from '../registry/registry.ts'
import { type Codecs, schemaIdOf } from '../schemas/codecs.ts'
import type { QuestdbSql } from '../sinks/questdb-http.ts'
import { appliedSoFar } from '../sinks/wal-watch.ts'
import { questdbRows } from '../tools/repair/questdb-rows.ts'
import { repairMeter } from '../tools/repair/repair-meter.ts'
import { repairPeriod } from '../tools/repair/repair-period.ts'
import { RepairQueue } from './repair-queue.ts'
import type { QueuedRepair } from './repair-queue.ts'

export interface RepairOptions {
  readonly log: Log
  readonly sql: QuestdbSql
  readonly prefix: string
  readonly topics: Topics
  /** The group of the processors: what it has committed is written. */
  readonly group: string
  readonly registry: Registry
  readonly codecs: Codecs
  readonly metrics: MetricsRegistry
  readonly logger: Logger
  /** How often it looks for work, and how long windows wait that can still change; for tests. */
  readonly everyMs?: number
  readonly againMs?: number
  readonly onFailed: (error: unknown) => void
}

/**
 * Repairs windows whose samples came beyond the horizon: recomputes them from QuestDB's raw rows,
 * and appends the result to the readings before it is used. The workers share the requests by meter
 * through a group of theirs; done twice, a repair changes nothing.
 */
export async function startRepair(options: RepairOptions): Promise<{ stop(): Promise<void> }> {
  const job = new RepairJob(options, await options.log.producer())
  await job.start()
  return job
}

class RepairJob {
  private readonly options: RepairOptions
  private readonly producer: Producer
  private readonly queue = new RepairQueue()
  private readonly stopping = new AbortController()
  private readonly counted: Counter<'outcome'>
  private readonly failures: Counter
  private subscription: Subscription | undefined
  private owned: readonly OwnedPartition[] = []
  /** By partition of the requests: the offset to read next, and what is committed. */
  private readonly next = new Map<number, number>()
  private readonly committed = new Map<number, number>()
  private running = Promise.resolve()

  constructor(options: RepairOptions, producer: Producer) {
    this.options = options
    this.producer = producer
    const registers = [options.metrics]
    this.counted = new Counter({
      name: 'meterloom_repairs_total',
      help: 'Repairs of a meter and day, by outcome: requested, coalesced, repaired or refused',
      labelNames: ['outcome'] as const,
      registers,
    })
    for (const outcome of ['requested', 'coalesced', 'repaired', 'refused']) {
      this.counted.inc({ outcome }, 0)
    }
    this.failures = new Counter({
      name: 'meterloom_repair_failures_total',
      help: 'Repairs that failed and are tried again',
      registers,
    })
    const { queue } = this
    new Gauge({
      name: 'meterloom_repairs_waiting',
      help: 'Repairs that wait for their rows, for the meter to go on, or for their turn',
      registers,
      collect() {
        this.set(queue.size)
      },
    })
  }

  async start(): Promise<void> {
    const { log, group, topics, onFailed } = this.options
    this.subscription = await log.subscribe({
      group: `${group}-repair`,
      topics: [topics.repairs],
      onAssigned: (owned) => {
        const kept = new Set(owned.map(({ partition }) => partition))
        this.forget(this.owned.filter(({ partition }) => !kept.has(partition)))
        this.owned = owned
        // Those that stay go on where they are; new ones begin at what is committed.
        const from = owned.flatMap(({ topic, partition }) => {
          const next = this.next.get(partition)
          return next === undefined ? [] : [[`${topic}:${partition}`, next] as const]
        })
        return Promise.resolve(new Map(from))
      },
      onRevoked: (lost) => {
        this.forget(lost)
        return Promise.resolve()
      },
      onBatch: (batch) => this.take(batch),
      onFailed,
    })
    this.running = this.run()
  }

  private forget(lost: readonly OwnedPartition[]): void {
    const partitions = new Set(lost.map(({ partition }) => partition))
    this.queue.drop(partitions)
    for (const partition of partitions) {
      this.next.delete(partition)
      this.committed.delete(partition)
    }
  }

  private async take(batch: RecordBatch): Promise<void> {
    const { codecs } = this.options
    for (let i = 0; i < batch.count; i++) {
      const value = batch.bytes.subarray(batch.valueStart[i], batch.valueEnd[i])
      const place = { partition: batch.partition, offset: batch.offsets[i]! }
      try {
        // Older workers and processors may have written it.
        await codecs['repair-request'].prepare(schemaIdOf(value))
        const request = codecs['repair-request'].decode(value)
        const joined = this.queue.add(request, place, performance.now())
        this.counted.inc({ outcome: joined ? 'coalesced' : 'requested' })
      } catch (error) {
        this.failures.inc()
        this.options.logger.warn({ error: messageOf(error), ...place }, 'this asks for no repair')
      }
    }
    this.next.set(batch.partition, batch.nextOffset)
    while (this.queue.size > LIMITS.repairsWaitingMax && !this.stopping.signal.aborted) {
      await this.pause()
    }
  }

  private async pause(): Promise<void> {
    const { everyMs = LIMITS.repairEveryMs } = this.options
    const { signal } = this.stopping
    await sleep(everyMs, undefined, { signal }).catch(() => undefined)
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      await this.pause()
      try {
        await this.round()
      } catch (error) {
        this.failures.inc()
        this.options.logger.warn({ error: messageOf(error) }, 'repair is tried again')
      }
    }
  }

  private async round(): Promise<void> {
    const { log, topics, group, prefix, sql } = this.options
    const due = this.queue.due(performance.now())
    if (due.length > 0) {
      const committed = await log.committed(group, topics.readings)
      // What is committed is acknowledged; what is applied by now every reader sees.
      for (const table of ['readings', 'windows', 'anomalies']) {
        await appliedSoFar(sql, `${prefix}${table}`, this.stopping.signal)
      }
      for (const repair of due) {
        const upTo = (committed[repair.partition]?.offset ?? -1) - 1
        if (this.stopping.signal.aborted) return
        if (upTo < repair.offset) continue
        if (this.queue.mayRun(repair.tenant, performance.now())) await this.repair(repair, upTo)
      }
    }
    await this.commit()
  }

  private async repair(repair: QueuedRepair, basis: number): Promise<void> {
    const { sql, prefix, registry, codecs, topics, againMs = LIMITS.repairAgainMs } = this.options
    const { tenant, meterId, partition, from, to, offset, channel, width } = repair
    const rows = questdbRows(sql, prefix, repair)
    const common = { tenant, meterId, basis, rows, registry }
    const results =
      channel === null || width === null
        ? await repairMeter({ ...common, from, to, codecs })
        : await repairPeriod({ ...common, channel, width, start: from })
    if (results === undefined) {
      repair.notBeforeMs = performance.now() + againMs
      if (performance.now() - repair.queuedMs < LIMITS.repairWaitsMsMax) return
      this.counted.inc({ outcome: 'refused' })
      this.queue.done(repair)
      return
    }
    const records = results.map((result) => {
      const body = codecs['repair-result'].encode(result)
      const control = { kind: 'repair', source: 'worker', table: null, offset: null, body }
      return controlRecord(codecs.control, control, partition)
    })
    for (const record of records) await this.producer.append(topics.readings, [record])
    this.counted.inc({ outcome: 'repaired' })
    // What came while it was computed is for the next time.
    if (repair.offset === offset) this.queue.done(repair)
  }

  private async commit(): Promise<void> {
    const requests = this.owned.flatMap((owned) => {
      const next = this.next.get(owned.partition)
      if (next === undefined) return []
      const offset = this.queue.doneUpTo(owned.partition, next)
      return offset > (this.committed.get(owned.partition) ?? -1) ? [{ ...owned, offset }] : []
    })
    if (requests.length === 0) return
    try {
      await this.subscription?.commit(requests)
      for (const { partition, offset } of requests) this.committed.set(partition, offset)
    } catch (error) {
      if (!hasCode(error, 'log.staleGeneration')) throw error
    }
  }

  async stop(): Promise<void> {
    this.stopping.abort()
    await this.running
    await this.subscription?.close()
    await this.producer.close()
  }
}
