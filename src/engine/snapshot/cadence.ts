import { LIMITS } from '../../kernel/limits.ts'
import type { Clock } from '../../kernel/time.ts'

/** When a snapshot is due. Decides how soon a task is back, never what it computes. */
export interface Cadence {
  /** @param records What would have to be computed again after a crash. */
  isDue(records: number): boolean
  /** A snapshot has been written, or given up, after so many bytes and so long a work. */
  took(bytes: number, workMs: number): void
}

/**
 * Due when computing again what came since would take about ten seconds, by the measured rate; and
 * no more often than a twentieth of a processor pays for, by the measured cost of the last one.
 */
export class ReplayCadence implements Cadence {
  private readonly clock: Clock
  private readonly recordsPerSecond: () => number
  private notBeforeMs = -Infinity

  constructor(clock: Clock, recordsPerSecond: () => number) {
    this.clock = clock
    this.recordsPerSecond = recordsPerSecond
  }

  isDue(records: number): boolean {
    if (this.clock.monotonicMillis() < this.notBeforeMs) return false
    return records >= LIMITS.snapshotReplaySeconds * this.recordsPerSecond()
  }

  took(bytes: number, workMs: number): void {
    // Not all of the work is ours to measure: the client's, and what garbage collection adds.
    const costMs = Math.max(workMs, (1_000 * bytes) / LIMITS.snapshotBytesPerCpuSecond)
    this.notBeforeMs = this.clock.monotonicMillis() + costMs / LIMITS.snapshotCpuShareMax
  }
}
