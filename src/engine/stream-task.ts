import type { RecordBatch } from '../log/log.ts'
import type { TaskCounts } from './counts.ts'
import type { TaskState } from './state/task-state.ts'

/**
 * A pipeline at work on one partition, as the runtime sees it. What it emits is a pure function of
 * the partition's records up to where it has come, their append times included.
 */
export interface StreamTask {
  readonly counts: TaskCounts
  /** Whether outputs are handed on; false while state is made anew from what was emitted before. */
  emitting: boolean
  /** The offset to read next. */
  nextOffset: number
  /** Append time, running maximum; and the newest time that any meter has said. */
  readonly appendedMillis: number
  readonly newestAt: number
  readonly table: { readonly meterCount: number; readonly seriesCount: number }
  /** Left out where no meter is taken for silent. */
  readonly silence?: { readonly silentMeters: number } | undefined
  /** Bytes of state, of all series. */
  readonly stateBytes: number
  /** All that the task remembers from record to record. */
  readonly state: TaskState
  /** The offset that its view of a lookup table's topic has come to; undefined: it has none. */
  tableOffset?(topic: string): number | undefined
  /** Fetches what records [0, count) need to be read: a task asks nobody. */
  prepare(batch: RecordBatch): Promise<void>
  /** Takes records [from, to) of a batch of this task's partition. */
  process(batch: RecordBatch, from?: number, to?: number): void
}
