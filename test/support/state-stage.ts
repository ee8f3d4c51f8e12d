import assert from 'node:assert/strict'
import { MemoryLog } from '../../src/log/memory.ts'
import { HandClock } from '../../src/engine/driver.ts'
import type { Lane } from '../../src/engine/lane.ts'
import type { Pipeline } from '../../src/engine/pipeline.ts'
import { LogReplay, Slices } from '../../src/engine/restore.ts'
import { Outputs } from '../../src/engine/rows.ts'
import { SnapshotHistory } from '../../src/engine/snapshot/history.ts'
import { metadataOf } from '../../src/engine/snapshot/pointer.ts'
import { Restorer } from '../../src/engine/snapshot/restorer.ts'
import type { Fresh, RestorerOptions } from '../../src/engine/snapshot/restorer.ts'
import { SnapshotMetrics } from '../../src/engine/snapshot/snapshot-metrics.ts'
import { Snapshots } from '../../src/engine/snapshot/snapshots.ts'
import { Task } from '../../src/engine/task.ts'
import { meterKey } from '../../src/kernel/ids.ts'
import { systemScheduler } from '../../src/kernel/time.ts'
import type { Log, Producer, RecordBatch } from '../../src/log/log.ts'
import { SOURCE_HEADER, topicNames } from '../../src/log/topics.ts'
import { loadCodecs } from '../../src/schemas/codecs.ts'
import type { Reading } from '../../src/schemas/records.ts'
import { pipeline as product } from '../../topologies/index.ts'
import { testRegistry } from './registry.ts'

const codecs = await loadCodecs()
const topics = topicNames()

/** What `Restorer` says of a snapshot that it passes over. */
export type Warning = string

/** One partition's log and its snapshots, with tasks that are driven by hand. */
export class StateStage {
  readonly clock = new HandClock()
  readonly log = new MemoryLog(this.clock)
  readonly topics = topics
  readonly warnings: Warning[] = []
  /** What the snapshots' producer is given is changed by it on the way; undefined: it is lost. */
  tamper: (value: Buffer, key: string) => Buffer | undefined = (value) => value
  /** Called before each append of a snapshot: the work of the task goes on meanwhile. */
  meanwhile: () => void = () => undefined

  constructor() {
    for (const topic of Object.values(topics) as string[]) {
      void this.log.createTopics([{ topic, partitions: 1, settings: {} }])
    }
  }

  append(readings: readonly Reading[]): void {
    for (const reading of readings) {
      const key = Buffer.from(meterKey(reading.tenant, reading.meterId))
      const value = codecs.reading.encode(reading)
      this.log.appendNow(topics.readings, [{ key, value, partition: 0 }])
    }
  }

  /** A task that has seen nothing. */
  fresh(pipeline: Pipeline = product): Fresh & { readonly task: Task } {
    const outputs = new Outputs()
    const task = new Task({
      ...{ pipeline, partition: 0, partitions: 1, epoch: 0, registry: testRegistry() },
      ...{ codecs, topics, outputs },
    })
    return { task, outputs }
  }

  async batches(): Promise<readonly RecordBatch[]> {
    const batches: RecordBatch[] = []
    for await (const batch of this.log.read({ topic: topics.readings, partition: 0, from: 0 })) {
      batches.push(batch)
    }
    return batches
  }

  lane(fresh: Fresh): Lane {
    const owned = { topic: topics.readings, partition: 0, generation: 1 }
    const place = { processed: 0, flushed: 0, committed: 0 }
    const sent = { unsent: undefined, rewriteAtMs: Infinity, named: '', lost: false }
    return { ...fresh, owned, history: new SnapshotHistory(), ...place, ...sent }
  }

  /** A snapshot of the lane as it is now. */
  async snapshot(lane: Lane, member?: string, pipeline?: Pipeline): Promise<void> {
    await (await this.snapshots(lane, member, pipeline)).last(60_000)
  }

  /** Those of a process that has this lane; one is always due. */
  async snapshots(lane: Lane, member = 'here', pipeline: Pipeline = product): Promise<Snapshots> {
    return new Snapshots({
      ...{ log: this.log, topic: topics.state, input: topics.readings, epoch: 0, pipeline, member },
      producer: await this.producer(),
      scheduler: systemScheduler,
      cadence: { isDue: () => true, took: () => undefined },
      metrics: new SnapshotMetrics(undefined, systemScheduler, () => []),
      lanes: () => [lane],
      onWhole: () => undefined,
    })
  }

  private async producer(): Promise<Producer> {
    const made = await this.log.producer()
    return {
      append: (topic, records) => {
        this.meanwhile()
        const changed = [...(records as Iterable<{ key: Buffer; value: Buffer }>)].map((record) => {
          const value = this.tamper(record.value, record.key.toString())
          return { ...record, value: value === undefined ? Buffer.from('lost') : value }
        })
        return made.append(topic, changed)
      },
      close: () => made.close(),
    }
  }

  /** Restores as a process does that takes the partition over where `lane` has committed. */
  async restore(
    lane: Lane,
    options: Partial<RestorerOptions> = {},
    log: Log = this.log,
  ): Promise<Fresh & { readonly replayedFrom: number }> {
    const offset = lane.task.nextOffset
    let replayedFrom = -1
    class Noted extends LogReplay {
      override run(...args: Parameters<LogReplay['run']>): Promise<void> {
        replayedFrom = args[0].nextOffset
        return super.run(...args)
      }
    }
    const restorer = new Restorer({
      ...{ log, topic: topics.state, input: topics.readings, epoch: 0, pipeline: product },
      replay: new Noted(log, topics.readings, new Slices(systemScheduler)),
      ...{ backfill: false, dropped: new Set<string>() },
      logger: { warn: (_: unknown, text: string) => this.warnings.push(text) } as never,
      ...options,
    })
    const upTo = { offset, metadata: metadataOf(lane.history.pointers(offset)) }
    const make = () => this.fresh(options.pipeline)
    const restored = await restorer.restore(make, 0, upTo, new AbortController().signal)
    return { ...restored, replayedFrom }
  }

  /** What a task emits, as lines of text in their order. */
  async emitted({ outputs }: Fresh): Promise<readonly string[]> {
    const { tables, logs } = outputs.take()
    const lines = tables.flatMap(({ spec, count, columns }) =>
      Array.from({ length: count }, (_, i) =>
        [spec.table, ...columns.map((column) => String(column[i]))].join('|'),
      ),
    )
    const aside = new MemoryLog(this.clock)
    const producer = await aside.producer()
    for (const [topic, list] of logs) {
      await aside.createTopics([{ topic, partitions: 1, settings: {} }])
      await producer.append(topic, list)
      for await (const batch of aside.read({ topic, partition: 0, from: 0 })) {
        for (let i = 0; i < batch.count; i++) {
          const parts = [
            batch.bytes.subarray(batch.keyStart[i], batch.keyEnd[i]),
            batch.bytes.subarray(batch.valueStart[i], batch.valueEnd[i]),
            batch.header(i, SOURCE_HEADER)!,
          ]
          lines.push([topic, ...parts.map((part) => part.toString('base64'))].join('|'))
        }
      }
    }
    return lines
  }
}

/** Both emitted the same; of what differs, the first line is told. */
export function assertSame(found: readonly string[], wanted: readonly string[]): void {
  const place = wanted.findIndex((line, i) => line !== found[i])
  assert.equal(found[place], wanted[place])
  assert.equal(found.length, wanted.length)
}
