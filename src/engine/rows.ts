import type { OutgoingRecord } from '../log/log.ts'
import type { TableSpec } from '../schemas/tables.ts'
import type { RowBatch } from './sink.ts'

type Cell = number | boolean | string | undefined
type ColumnData = Float64Array | Uint8Array | (string | undefined)[]

const FIRST_ROWS = 1_024

/** Gathers rows of one table in columns. */
export class RowBuffer {
  readonly spec: TableSpec
  count = 0
  private columns: ColumnData[]
  private room = FIRST_ROWS

  constructor(spec: TableSpec) {
    this.spec = spec
    this.columns = this.made(FIRST_ROWS)
  }

  private made(rows: number): ColumnData[] {
    return this.spec.columns.map(({ type }) => {
      if (type === 'symbol') return new Array<string | undefined>(rows)
      return type === 'boolean' ? new Uint8Array(rows) : new Float64Array(rows)
    })
  }

  push(cells: readonly ((item: never) => Cell)[], item: never): void {
    if (this.count === this.room) this.widen()
    const row = this.count++
    for (let c = 0; c < cells.length; c++) {
      const value = cells[c]!(item)
      // A boolean becomes 0 or 1 in its typed array by itself.
      ;(this.columns[c] as unknown as Cell[])[row] = value
    }
  }

  private widen(): void {
    this.room *= 2
    this.columns = this.made(this.room).map((wide, c) => {
      const old = this.columns[c]!
      if (Array.isArray(wide)) for (let i = 0; i < old.length; i++) wide[i] = (old as string[])[i]
      else wide.set(old as Float64Array)
      return wide
    })
  }

  /** Hands over what was gathered, and begins anew. */
  take(): RowBatch {
    const { spec, count, columns } = this
    this.count = 0
    this.room = Math.max(FIRST_ROWS, 2 ** Math.ceil(Math.log2(count + 1)))
    this.columns = this.made(this.room)
    return { spec, count, columns }
  }
}

/** Rows of one table as one batch, in their order. */
export function mergedRows(batches: readonly RowBatch[]): RowBatch {
  const [first] = batches
  if (first === undefined || batches.length === 1) return first!
  const count = batches.reduce((sum, batch) => sum + batch.count, 0)
  const columns = first.spec.columns.map(({ type }, c): ColumnData => {
    if (type === 'symbol') {
      return batches.flatMap((batch) => (batch.columns[c] as string[]).slice(0, batch.count))
    }
    const merged = type === 'boolean' ? new Uint8Array(count) : new Float64Array(count)
    let at = 0
    for (const batch of batches) {
      merged.set((batch.columns[c] as Float64Array).subarray(0, batch.count), at)
      at += batch.count
    }
    return merged
  })
  return { spec: first.spec, count, columns }
}

/** What a task has emitted and nobody has sent yet. */
export class Outputs {
  readonly tables = new Map<string, RowBuffer>()
  private logs = new Map<string, OutgoingRecord[]>()
  private logRecords = 0

  table(spec: TableSpec): RowBuffer {
    let buffer = this.tables.get(spec.table)
    if (buffer === undefined) {
      buffer = new RowBuffer(spec)
      this.tables.set(spec.table, buffer)
    }
    return buffer
  }

  log(topic: string, record: OutgoingRecord): void {
    const records = this.logs.get(topic)
    if (records === undefined) this.logs.set(topic, [record])
    else records.push(record)
    this.logRecords++
  }

  /** Rows and records that wait. */
  get size(): number {
    let size = this.logRecords
    for (const buffer of this.tables.values()) size += buffer.count
    return size
  }

  take(): { tables: RowBatch[]; logs: Map<string, OutgoingRecord[]> } {
    const tables: RowBatch[] = []
    for (const buffer of this.tables.values()) if (buffer.count > 0) tables.push(buffer.take())
    const logs = this.logs
    this.logs = new Map()
    this.logRecords = 0
    return { tables, logs }
  }
}
