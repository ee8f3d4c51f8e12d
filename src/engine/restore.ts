import { LIMITS } from '../kernel/limits.ts'
import { systemScheduler } from '../kernel/time.ts'
import type { Scheduler } from '../kernel/time.ts'
import type { Log, RecordBatch } from '../log/log.ts'
import type { StreamTask } from './stream-task.ts'

/** Brings tasks to where they were, by computing the log again. */
export class LogReplay {
  private readonly log: Log
  private readonly topic: string
  private readonly slices: Slices

  constructor(log: Log, topic: string, slices: Slices) {
    this.log = log
    this.topic = topic
    this.slices = slices
  }

  /**
   * Takes in what lies between where the task is and `upTo`, with nothing emitted. May stop early
   * where `signal` is aborted.
   */
  async run(task: StreamTask, partition: number, upTo: number, signal: AbortSignal): Promise<void> {
    const from = task.nextOffset
    if (upTo > from) {
      task.emitting = false
      for await (const batch of this.log.read({ topic: this.topic, partition, from, to: upTo })) {
        if (signal.aborted) return
        await this.slices.run(task, batch)
      }
      task.emitting = true
    }
    // Where the log's own beginning is past it, there is nothing to compute.
    task.nextOffset = Math.max(task.nextOffset, upTo)
  }
}

/**
 * Hands batches to tasks in slices, so that heartbeats and health checks are answered meanwhile.
 */
export class Slices {
  private turnedMs: number
  /** Records taken in of late, and the time that it took. */
  private records = 0
  private busyMs = 0
  private readonly scheduler: Scheduler

  constructor(scheduler: Scheduler = systemScheduler) {
    this.scheduler = scheduler
    this.turnedMs = scheduler.monotonicMillis()
  }

  /** @param done called after each slice. */
  async run(task: StreamTask, batch: RecordBatch, done?: () => void): Promise<void> {
    await task.prepare(batch)
    for (let at = 0; at < batch.count; at += LIMITS.engineSliceRecords) {
      const beganMs = this.scheduler.monotonicMillis()
      const to = Math.min(batch.count, at + LIMITS.engineSliceRecords)
      task.process(batch, at, to)
      done?.()
      const nowMs = this.scheduler.monotonicMillis()
      this.measure(to - at, nowMs - beganMs)
      if (nowMs - this.turnedMs < LIMITS.engineSliceMs) continue
      await this.scheduler.turn()
      this.turnedMs = this.scheduler.monotonicMillis()
    }
  }

  private measure(records: number, busyMs: number): void {
    this.records += records
    this.busyMs += busyMs
    if (this.busyMs < LIMITS.engineRateMs) return
    // What is older counts half.
    this.records /= 2
    this.busyMs /= 2
  }

  /** How fast records are taken in while there are any; Infinity until that is known. */
  get recordsPerSecond(): number {
    return this.busyMs === 0 ? Infinity : (1_000 * this.records) / this.busyMs
  }
}
