import type { OutgoingRecords, OwnedPartition } from '../log/log.ts'
import type { Outputs } from './rows.ts'
import type { RowBatch } from './sink.ts'
import type { SnapshotHistory } from './snapshot/history.ts'
import type { StreamTask } from './stream-task.ts'

/** What was taken of a lane's outputs to be sent, less what is acknowledged. */
export interface Unsent {
  /** All that comes of records below this offset, and was not sent before. */
  readonly upTo: number
  tables: RowBatch[]
  readonly logs: Map<string, OutgoingRecords>
}

/** One partition at work in this process: its task, and how far what it emits has come. */
export interface Lane {
  readonly task: StreamTask
  /** What the task has emitted and nobody has sent yet. */
  readonly outputs: Outputs
  /** The snapshots of its state, and those that the last commit named. */
  readonly history: SnapshotHistory
  named: string
  /** Under the newest generation that this process was told of. */
  owned: OwnedPartition
  /** Taken out of the outputs, and not acknowledged yet; undefined where no round is under way. */
  unsent: Unsent | undefined
  /** All that comes of records below this offset is in the outputs, or further. */
  processed: number
  /** ... is acknowledged by tables and topics. */
  flushed: number
  /** ... is committed. */
  committed: number
  /**
   * When restated rows are written once more, milliseconds of the scheduler: what a stale owner had
   * under way has come to its end by then. Infinity where nothing is to be.
   */
  rewriteAtMs: number
  /** The partition belongs to somebody else: nothing of it is sent any more. */
  lost: boolean
}
