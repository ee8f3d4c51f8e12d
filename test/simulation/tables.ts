import type { RowBatch } from '../../src/engine/sink.ts'

/** A row as the tables hold it: its text tells it from any other. */
export interface HeldRow {
  readonly text: string
  /** NaN in a table without revisions. */
  readonly revision: number
}

/** The rows of a batch with their keys, each table's by `table|key`. */
export function* rowsOf(
  batch: RowBatch,
  from = 0,
  to = batch.count,
): Generator<readonly [string, HeldRow]> {
  const { spec, columns } = batch
  const keys = spec.keys.map((key) => spec.columns.findIndex(({ name }) => name === key))
  const revisions = columns[spec.columns.findIndex(({ name }) => name === 'revision')]
  for (let i = from; i < to; i++) {
    const key = `${spec.table}|${keys.map((c) => String(columns[c]![i])).join('|')}`
    let text = ''
    for (const column of columns) text += `${String(column[i])}|`
    yield [key, { text, revision: revisions === undefined ? NaN : (revisions[i] as number) }]
  }
}

/** What QuestDB holds, and all that was ever written to it. */
export class HeldTables {
  readonly rows = new Map<string, HeldRow>()
  /** Every row that ever came, as `table|key` and its text. */
  readonly written = new Set<string>()
  /** @param onRow may object to what replaces what. */
  private readonly onRow: (key: string, row: HeldRow) => void

  constructor(onRow: (key: string, row: HeldRow) => void) {
    this.onRow = onRow
  }

  upsert(batch: RowBatch, from: number, to: number): void {
    for (const [key, row] of rowsOf(batch, from, to)) {
      this.onRow(key, row)
      this.rows.set(key, row)
      this.written.add(`${key}>${row.text}`)
    }
  }
}
