import { LIMITS } from '../../kernel/limits.ts'
import { type Micros, formatMicros } from '../../kernel/time.ts'
import { type QuestdbSql, quoted } from '../../sinks/questdb-http.ts'
import { type CsvRow, CsvRows } from './csv-rows.ts'

export interface StoredWalk {
  readonly sql: QuestdbSql
  readonly table: string
  /** Both included. */
  readonly from: Micros
  readonly to: Micros
  /** A row: its time, and as texts tenant, meterId and channel. */
  readonly visit: (row: CsvRow) => void
  readonly progress?: (rows: number, rowsAbout: number) => void
}

interface Page {
  readonly from: Micros
  readonly to: Micros
}

/**
 * Walks over the rows of a time range, page by page: no query takes long, and no answer is kept
 * whole.
 */
export async function walkStored(walk: StoredWalk): Promise<number> {
  const { sql, table, visit } = walk
  const { pages, rowsAbout } = await pagesOf(walk)
  let rows = 0
  for (const { from, to } of pages) {
    const csv = new CsvRows(4, (row) => {
      rows++
      visit(row)
    })
    const query =
      `select cast(ts as long) at, tenant, meter_id, channel from ${quoted(table)} ` +
      `where ts between ${quoted(formatMicros(from))} and ${quoted(formatMicros(to))}`
    for await (const chunk of sql.csv(query)) {
      csv.push(chunk)
      walk.progress?.(rows, rowsAbout)
    }
    csv.end()
  }
  return rows
}

/** The partitions that the range touches, cut so that a page has a million rows or so. */
async function pagesOf({ sql, table, from, to }: StoredWalk) {
  const partitions = await sql.rows(
    'select cast(minTimestamp as long), cast(maxTimestamp as long), numRows ' +
      `from table_partitions(${quoted(table)}) where numRows > 0`,
  )
  const pages: Page[] = []
  let rowsAbout = 0
  for (const [first, last, count] of partitions) {
    const start = Math.max(Number(first), from)
    const end = Math.min(Number(last), to)
    if (start > end) continue
    rowsAbout += Number(count)
    const slices = Math.ceil(Number(count) / LIMITS.verifyPageRows)
    const step = Math.ceil((end - start + 1) / slices)
    for (let at = start; at <= end; at += step) {
      pages.push({ from: at, to: Math.min(end, at + step - 1) })
    }
  }
  return { pages, rowsAbout }
}
