import type { Pipeline } from '../../engine/dsl.ts'
import { Outputs } from '../../engine/rows.ts'
import type { RowBatch } from '../../engine/sink.ts'
import { Task } from '../../engine/task.ts'
import type { RecordBatch } from '../../log/log.ts'
import type { Topics } from '../../log/topics.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Codecs } from '../../schemas/codecs.ts'
import { TABLES, type TableSpec } from '../../schemas/tables.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { RowSource } from './row-source.ts'

export interface EngineSource {
  readonly spec: TableSpec
  readonly pipeline: Pipeline
  readonly partition: number
  readonly epoch: number
  readonly registry: Registry
  readonly codecs: Codecs
  readonly topics: Topics
  /** Whether retention has deleted the partition's beginning. */
  readonly isCut: boolean
}

/**
 * The rows of a table by running its topology over the readings again: a task's output is a
 * function of its partition's log, so they are the rows that were written then.
 *
 * Where the beginning of the log is gone, a baseline is another one until its ring holds nothing
 * but whole windows of the retained log: those of a series' first windows are not written.
 */
export function rowsOfEngine(options: EngineSource): RowSource {
  const { spec, isCut, ...taskOptions } = options
  const outputs = new Outputs()
  const task = new Task({ ...taskOptions, partitions: 0, outputs })
  const warmUp = isCut && spec.table === TABLES.baselines.table ? new WarmUp(spec) : undefined
  return {
    take(batch: RecordBatch): RowBatch {
      task.process(batch)
      const found = outputs.take().tables.find((rows) => rows.spec.table === spec.table)
      return found ?? outputs.table(spec).take()
    },
    keep: (batch, row) => warmUp === undefined || warmUp.isOver(batch, row),
  }
}

/** Counts the rows of each series. */
class WarmUp {
  private readonly rows = new Map<string, number>()
  private readonly seriesColumns: readonly number[]

  constructor(spec: TableSpec) {
    this.seriesColumns = ['tenant', 'meter_id', 'channel'].map((name) =>
      spec.columns.findIndex((column) => column.name === name),
    )
  }

  isOver(batch: RowBatch, row: number): boolean {
    // No name holds a slash.
    const series = this.seriesColumns.map((column) => batch.columns[column]![row]).join('/')
    const count = (this.rows.get(series) ?? 0) + 1
    this.rows.set(series, count)
    return count > LIMITS.resinkWarmUpRows
  }
}
