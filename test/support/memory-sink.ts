import { MemoryTables } from '../../src/engine/memory-tables.ts'
import type { Row } from '../../src/engine/memory-tables.ts'
import type { RowBatch, TableSink } from '../../src/engine/sink.ts'

/**
 * Tables in memory, as a reader sees them. Acknowledges when it is let, and dies when it is told
 * to.
 */
export class MemorySink implements TableSink {
  private readonly tables = new MemoryTables()
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
    this.tables.upsert(batch)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  rows(table: string): readonly Row[] {
    return this.tables.rows(table)
  }
}
