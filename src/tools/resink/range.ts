import type { RowBatch } from '../../engine/sink.ts'
import type { Micros } from '../../kernel/time.ts'

/** Event time, from included, to not. */
export interface EventRange {
  readonly from: Micros
  readonly to: Micros
}

/** The rows of a batch that lie in the range, in their order, and that `keep` keeps. */
export function rowsWithin(
  batch: RowBatch,
  { from, to }: EventRange,
  keep: (batch: RowBatch, row: number) => boolean = () => true,
): RowBatch {
  const times = batch.columns[0] as Float64Array
  const rows: number[] = []
  for (let row = 0; row < batch.count; row++) {
    const time = times[row]!
    // `keep` counts what it sees, so it sees every row.
    const isKept = keep(batch, row)
    if (isKept && time >= from && time < to) rows.push(row)
  }
  if (rows.length === batch.count) return batch
  const columns = batch.columns.map((column) => {
    if (column instanceof Float64Array) return Float64Array.from(rows, (row) => column[row]!)
    if (column instanceof Uint8Array) return Uint8Array.from(rows, (row) => column[row]!)
    return rows.map((row) => column[row])
  })
  return { spec: batch.spec, count: rows.length, columns }
}
