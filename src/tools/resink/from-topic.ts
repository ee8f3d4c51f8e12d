import { RowBuffer } from '../../engine/rows.ts'
import type { RowBatch } from '../../engine/sink.ts'
import type { RecordBatch } from '../../log/log.ts'
import { SeenPositions } from '../../log/position.ts'
import { SOURCE_HEADER } from '../../log/topics.ts'
import type { Codec } from '../../schemas/codecs.ts'
import type { AnomalyRecord, WindowRecord } from '../../schemas/records.ts'
import type { TableSpec } from '../../schemas/tables.ts'
import type { RowSource } from './row-source.ts'

type Row = Readonly<Record<string, number | string | boolean | null>>
type CellOf = (row: Row) => number | string | boolean | undefined

/**
 * The rows of a table from the records of its own topic, which hold the same fields.
 *
 * A record that repeats, or that a stale owner appended behind its successor's, is known by its
 * source position and left out; so revisions only rise, and the last row of an identity is its
 * latest.
 */
export function rowsOfTopic(
  spec: TableSpec,
  codec: Codec<WindowRecord> | Codec<AnomalyRecord>,
): RowSource {
  const cells = spec.columns.map(({ name, type }) => cellOf(name, type === 'symbol'))
  const buffer = new RowBuffer(spec)
  const seen = new SeenPositions()
  return {
    take(batch: RecordBatch): RowBatch {
      for (let i = 0; i < batch.count; i++) {
        if (batch.valueStart[i]! < 0 || !seen.isNew(batch.header(i, SOURCE_HEADER))) continue
        const value = batch.bytes.subarray(batch.valueStart[i], batch.valueEnd[i])
        buffer.push(cells, codec.decode(value) as never)
      }
      return buffer.take()
    },
    keep: () => true,
  }
}

/** `energy_wh` is the field `energyWh`, and the row's time is its window's start. */
function cellOf(column: string, isSymbol: boolean): CellOf {
  const field =
    column === 'ts' ? 'start' : column.replace(/_[a-z]/g, (match) => match[1]!.toUpperCase())
  const none = isSymbol ? undefined : NaN
  return (row) => row[field] ?? none
}
