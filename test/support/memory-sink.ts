import type { Row } from '../../src/engine/driver.ts'
import type { RowBatch, TableSink } from '../../src/engine/sink.ts'

/**
 * Tables in memory, as a reader sees them. Acknowledges when it is let, and dies when it is told
 * to.
 */
export class MemorySink implements TableSink {
  readonly tables = new Map<string, Map<string, Row>>()
  writes = 0
  private gate: Promise<void> = Promise.resolve()
  private open: () => void = () => undefined
  private dead = false

  /** Nothing is acknowledged any more, until `release`. */
  hold(): void {
    this.gate = new Promise((resolve) => {
      this.open = resolve
    })
  }

  release(): void {
    this.open()
  }

  /** Takes nothing and acknowledges nothing any more, as the sink of a killed process. */
  kill(): void {
    this.dead = true
  }

  async write(batch: RowBatch): Promise<void> {
    this.writes++
    await this.gate
    if (this.dead) await new Promise<never>(() => undefined)
    const { spec, count, columns } = batch
    const table = this.tables.get(spec.table) ?? new Map<string, Row>()
    this.tables.set(spec.table, table)
    for (let i = 0; i < count; i++) {
      const row: Record<string, number | boolean | string | undefined> = {}
      spec.columns.forEach(({ name, type }, c) => {
        const value = columns[c]![i]
        row[name] = type === 'boolean' ? value === 1 : value
      })
      table.set(spec.keys.map((key) => String(row[key])).join('|'), row)
    }
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  rows(table: string): readonly Row[] {
    return [...(this.tables.get(table)?.values() ?? [])]
  }
}
