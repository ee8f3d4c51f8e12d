import type { StreamTask } from '../stream-task.ts'
import { Task } from '../task.ts'
import type { TaskOptions } from '../task-options.ts'
import { TotalsTask } from './totals-task.ts'

/** Puts a pipeline to work on a partition of what it reads. */
export function makeTask(options: TaskOptions): StreamTask {
  const { nodes } = options.pipeline
  return nodes.some(({ kind }) => kind === 'rekeyed') ? new TotalsTask(options) : new Task(options)
}
