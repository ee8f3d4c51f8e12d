import type { OwnedPartition } from '../log/log.ts'
import type { Outputs } from './rows.ts'
import type { Task } from './task.ts'

/** One partition at work in this process: its task, and how far what it emits has come. */
export interface Lane {
  readonly task: Task
  /** What the task has emitted and nobody has sent yet. */
  readonly outputs: Outputs
  /** Under the newest generation that this process was told of. */
  owned: OwnedPartition
  /** All that comes of records below this offset is in the outputs, or further. */
  processed: number
  /** ... is acknowledged by tables and topics. */
  flushed: number
  /** ... is committed. */
  committed: number
  /** The partition belongs to somebody else: nothing of it is sent any more. */
  lost: boolean
}
