import { LIMITS } from '../kernel/limits.ts'
import { systemScheduler } from '../kernel/time.ts'
import type { Scheduler } from '../kernel/time.ts'
import type { Log, RecordBatch } from '../log/log.ts'
import type { StreamTask } from './stream-task.ts'

/** Where a task's state comes from when its partition comes to this process. */
export interface Restorer {
  /**
   * Brings a new task to the state that the partition's records below `upTo` make, with nothing
   * emitted. May stop early where `signal` is aborted.
   */
  restore(task: StreamTask, partition: number, upTo: number, signal: AbortSignal): Promise<void>
}

/** Restores by computing the retained log again. */
export class LogReplay implements Restorer {
  private readonly log: Log
  private readonly topic: string
  private readonly slices: Slices

  constructor(log: Log, topic: string, slices: Slices) {
    this.log = log
    this.topic = topic
    this.slices = slices
  }

  async restore(
    task: StreamTask,
    partition: number,
    upTo: number,
    signal: AbortSignal,
  ): Promise<void> {
    if (upTo > 0) {
      task.emitting = false
      const range = { topic: this.topic, partition, from: 0, to: upTo }
      for await (const batch of this.log.read(range)) {
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
  private readonly scheduler: Scheduler

  constructor(scheduler: Scheduler = systemScheduler) {
    this.scheduler = scheduler
    this.turnedMs = scheduler.monotonicMillis()
  }

  /** @param done called after each slice. */
  async run(task: StreamTask, batch: RecordBatch, done?: () => void): Promise<void> {
    await task.prepare(batch)
    for (let at = 0; at < batch.count; at += LIMITS.engineSliceRecords) {
      task.process(batch, at, Math.min(batch.count, at + LIMITS.engineSliceRecords))
      done?.()
      if (this.scheduler.monotonicMillis() - this.turnedMs < LIMITS.engineSliceMs) continue
      await this.scheduler.turn()
      this.turnedMs = this.scheduler.monotonicMillis()
    }
  }
}
