import type { RowBatch } from './sink.ts'

export type Row = Readonly<Record<string, number | boolean | string | undefined>>

/** Tables in memory, as QuestDB keeps them: a row replaces the one with the same keys. */
export class MemoryTables {
  private readonly tables = new Map<string, Map<string, Row>>()
  /** Every row that came, in the order of its coming, by table. */
  readonly emitted = new Map<string, Row[]>()

  /** Takes in the rows [from, to) of a batch. */
  upsert(batch: RowBatch, from = 0, to = batch.count): void {
    const { spec, columns } = batch
    const table = this.tables.get(spec.table) ?? new Map<string, Row>()
    const list = this.emitted.get(spec.table) ?? []
    this.tables.set(spec.table, table)
    this.emitted.set(spec.table, list)
    for (let i = from; i < to; i++) {
      const row: Record<string, number | boolean | string | undefined> = {}
      spec.columns.forEach(({ name, type }, c) => {
        const value = columns[c]![i]
        row[name] = type === 'boolean' ? value === 1 : value
      })
      table.set(spec.keys.map((key) => String(row[key])).join('|'), row)
      list.push(row)
    }
  }

  /** The rows of a table as a reader sees them: the last of each key. */
  rows(table: string): readonly Row[] {
    return [...(this.tables.get(table)?.values() ?? [])]
  }
}
