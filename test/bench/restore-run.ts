import assert from 'node:assert/strict'
import { LogReplay, Slices } from '../../src/engine/restore.ts'
import { Outputs } from '../../src/engine/rows.ts'
import { SnapshotHistory } from '../../src/engine/snapshot/history.ts'
import { metadataOf } from '../../src/engine/snapshot/pointer.ts'
import { Restorer } from '../../src/engine/snapshot/restorer.ts'
import { SnapshotMetrics } from '../../src/engine/snapshot/snapshot-metrics.ts'
import { Snapshots } from '../../src/engine/snapshot/snapshots.ts'
import type { Task } from '../../src/engine/task.ts'
import { LIMITS } from '../../src/kernel/limits.ts'
import { systemScheduler } from '../../src/kernel/time.ts'
import type { Log, OutgoingRecords, Producer, RecordBatch } from '../../src/log/log.ts'
import { topicNames } from '../../src/log/topics.ts'
import type { Codecs } from '../../src/schemas/codecs.ts'
import { benchPipeline } from '../../topologies/bench.ts'
import { LoopWatch, cpuSeconds } from './loop-watch.ts'
import type { Held } from './loop-watch.ts'
import { Fleet, MEASURED_MINUTES, WARM_QUARTERS, benchTask } from './scale-series.ts'

const topics = topicNames()
const slices = new Slices()
/** The first minute after those of the fleet's own run. */
const FIRST = 15 * WARM_QUARTERS + MEASURED_MINUTES

export interface Written {
  readonly seconds: number
  readonly megabytes: number
  /** Of the process, less what the readings cost that were taken in beside it. */
  readonly cpuSeconds: number
  /** Of a processor, by the time after which the cadence lets the next one begin. */
  readonly cpuShare: number
  readonly held: Held
}

export interface Made {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly held: Held
}

export interface RestoreReport {
  readonly series: number
  readonly bytesPerSeries: number
  /** Of the readings alone, for comparison. */
  readonly readings: { readonly cpuMicrosPerReading: number; readonly held: Held }
  readonly base: Written
  readonly delta: Written
  readonly restore: Made
}

/** A fleet whose state is written to a log and made anew from it. */
export class RestoreRun {
  private readonly log: Log
  private readonly codecs: Codecs
  private readonly fleet: Fleet
  private readonly history = new SnapshotHistory()
  private readonly snapshots: Snapshots
  private charged = { bytes: 0, workMs: 0 }
  private whole = Promise.withResolvers<undefined>()
  private cpuMicrosPerReading = 0

  constructor(log: Log, producer: Producer, codecs: Codecs, series: number) {
    this.log = log
    this.codecs = codecs
    this.fleet = new Fleet(codecs, series)
    const { task } = this.fleet
    const lane = {
      ...{ task, outputs: this.fleet.outputs, history: this.history, named: '', lost: false },
      ...{ owned: { topic: topics.readings, partition: 0, generation: 1 }, unsent: undefined },
      ...{ processed: 0, flushed: 0, committed: 0, rewriteAtMs: Infinity },
    }
    this.snapshots = new Snapshots({
      ...{ log, producer, topic: topics.state, input: topics.readings, epoch: 0 },
      ...{ pipeline: benchPipeline, member: 'bench', scheduler: systemScheduler },
      cadence: {
        isDue: () => true,
        took: (bytes, workMs) => (this.charged = { bytes, workMs }),
      },
      metrics: new SnapshotMetrics(undefined, systemScheduler, () => [task]),
      lanes: () => [lane],
      onWhole: () => this.whole.resolve(undefined),
      logger: { warn: (_: unknown, why: string) => this.whole.reject(new Error(why)) } as never,
    })
  }

  async run(series: number): Promise<RestoreReport> {
    const { fleet } = this
    // The program is compiled, then the fleet's state is what it is in the middle of a quarter.
    new Fleet(this.codecs, 2_000).run()
    fleet.run()
    const readings = await this.readings(FIRST, FIRST + 2)
    const base = await this.take(FIRST + 2, FIRST + 4)
    const delta = await this.take(FIRST + 4, FIRST + 6)
    // The last one is of where the task stands: nothing is taken in beside it, nor after it.
    await this.takeIn(this.minutes(FIRST + 6, FIRST + 7))
    await this.take(0, 0)
    const { task, outputs, ...restore } = await this.restored()
    this.compare(task, outputs)
    const bytesPerSeries = task.stateBytes / series
    return { series, bytesPerSeries, readings, base, delta, restore }
  }

  /** What readings cost without a snapshot. */
  private async readings(from: number, to: number) {
    const batches = this.minutes(from, to)
    const watch = new LoopWatch()
    const before = cpuSeconds()
    const count = await this.takeIn(batches)
    this.cpuMicrosPerReading = (1e6 * (cpuSeconds() - before)) / count
    return { cpuMicrosPerReading: this.cpuMicrosPerReading, held: watch.end() }
  }

  /** Takes a snapshot, and the readings of these minutes in as long as it is under way. */
  private async take(from: number, to: number): Promise<Written> {
    const batches = this.minutes(from, to)
    // The one before is over a moment after it was whole.
    await systemScheduler.turn()
    this.whole = Promise.withResolvers<undefined>()
    const watch = new LoopWatch()
    const began = performance.now()
    const cpu = cpuSeconds()
    this.snapshots.consider()
    const [count] = await Promise.all([this.takeIn(batches), this.whole.promise])
    const seconds = (performance.now() - began) / 1_000
    const used = cpuSeconds() - cpu - (count * this.cpuMicrosPerReading) / 1e6
    const held = watch.end()
    await systemScheduler.turn()
    const { bytes, workMs } = this.charged
    const costSeconds = Math.max(workMs / 1_000, bytes / LIMITS.snapshotBytesPerCpuSecond)
    const nextAfter = Math.max(
      LIMITS.snapshotReplaySeconds,
      costSeconds / LIMITS.snapshotCpuShareMax,
    )
    return {
      ...{ seconds, held, megabytes: bytes / 2 ** 20 },
      ...{ cpuSeconds: used, cpuShare: used / nextAfter },
    }
  }

  private minutes(from: number, to: number): readonly RecordBatch[] {
    const batches: RecordBatch[] = []
    for (let minute = from; minute < to; minute++) batches.push(...this.fleet.batches(minute))
    return batches
  }

  private async takeIn(batches: readonly RecordBatch[]): Promise<number> {
    let count = 0
    for (const batch of batches) {
      await slices.run(this.fleet.task, batch)
      this.fleet.outputs.take()
      count += batch.count
      // As between two fetches: what else is to be done comes to its turn.
      await systemScheduler.turn()
    }
    return count
  }

  private async restored(): Promise<Made & { task: Task; outputs: Outputs }> {
    const restorer = new Restorer({
      ...{ log: this.log, topic: topics.state, input: topics.readings, epoch: 0 },
      ...{ pipeline: benchPipeline, backfill: false, dropped: new Set<string>() },
      replay: new LogReplay(this.log, topics.readings, slices),
    })
    const tasks: Task[] = []
    const make = () => {
      const outputs = new Outputs()
      const task = benchTask(this.codecs, outputs)
      tasks.push(task)
      return { task, outputs }
    }
    const offset = this.fleet.task.nextOffset
    const upTo = { offset, metadata: metadataOf(this.history.pointers(offset)) }
    const watch = new LoopWatch()
    const began = performance.now()
    const cpu = cpuSeconds()
    const { outputs, history } = await restorer.restore(make, 0, upTo, new AbortController().signal)
    assert.equal(history.offset, offset, 'the newest snapshot is of where the task stands')
    return {
      ...{ task: tasks.at(-1)!, outputs, seconds: (performance.now() - began) / 1_000 },
      ...{ cpuSeconds: cpuSeconds() - cpu, held: watch.end() },
    }
  }

  /** Every series closes a window: what was restored must say of it what the other one says. */
  private compare(task: Task, outputs: Outputs): void {
    const { fleet } = this
    for (const batch of fleet.batches(FIRST + 30)) {
      fleet.task.process(batch)
      task.process(batch)
      const wanted = bytesOf(fleet.outputs)
      assert.ok(wanted.length > 0, 'every reading closes a window')
      assert.ok(wanted.equals(bytesOf(outputs)), 'a restored task says what it would have said')
    }
  }
}

function bytesOf(outputs: Outputs): Buffer {
  const lists: readonly OutgoingRecords[] = [...outputs.take().logs.values()]
  return Buffer.concat(
    lists.map((list) => {
      assert.ok('bytes' in list)
      return list.bytes.subarray(list.begin, list.count === 0 ? 0 : list.ends[3 * list.count - 1])
    }),
  )
}
