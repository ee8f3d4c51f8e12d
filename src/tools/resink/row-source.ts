import type { RowBatch } from '../../engine/sink.ts'
import type { RecordBatch } from '../../log/log.ts'

/** Makes a table's rows of the records of one partition, handed in by order. */
export interface RowSource {
  take(batch: RecordBatch): RowBatch
  /** Whether a row may be written, asked once of each row in its order. */
  keep(batch: RowBatch, row: number): boolean
}
