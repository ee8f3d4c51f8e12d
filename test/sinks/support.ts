import { setTimeout as sleep } from 'node:timers/promises'
import type { RowBatch } from '../../src/engine/sink.ts'
import type { TableSpec } from '../../src/schemas/tables.ts'
import { type Cell, type QuestdbSql, questdbSql, quoted } from '../../src/sinks/questdb-http.ts'
import { ensureTables, tableStatements } from '../../src/sinks/tables.ts'
import { uniquePrefix } from '../support/config.ts'
import type { Scope } from '../support/database.ts'

export const questdbUrl = process.env['QUESTDB_URL'] ?? ''

/** Tables of the test's own, dropped after it. */
export async function testTables(
  scope: Scope,
  url = questdbUrl,
): Promise<{ prefix: string; sql: QuestdbSql }> {
  const prefix = uniquePrefix()
  scope.after(() => dropTables(prefix, url))
  await ensureTables({ questdbUrl: url, prefix })
  return { prefix, sql: questdbSql(url) }
}

export async function dropTables(prefix: string, url = questdbUrl): Promise<void> {
  const sql = questdbSql(url)
  for (const statement of tableStatements(prefix)) {
    const made = /CREATE (TABLE|MATERIALIZED VIEW) IF NOT EXISTS ('[^']+')/.exec(statement)
    if (made !== null) await sql.rows(`drop ${made[1]!} if exists ${made[2]!}`)
  }
}

/** What `TableSink.write` takes, made of a row an object; what a row does not name is null. */
export function batchOf(
  spec: TableSpec,
  rows: readonly Readonly<Record<string, string | number | boolean>>[],
): RowBatch {
  const columns = spec.columns.map(({ name, type }) => {
    if (type === 'symbol') return rows.map((row) => row[name] as string | undefined)
    if (type === 'boolean') return Uint8Array.from(rows, (row) => Number(row[name]))
    return Float64Array.from(rows, (row) => Number(row[name] ?? NaN))
  })
  return { spec, count: rows.length, columns }
}

/** Waits until QuestDB shows all that it has acknowledged. */
export async function applied(sql: QuestdbSql, table: string): Promise<void> {
  const deadlineMs = performance.now() + 10_000
  for (;;) {
    const [state] = await sql.rows(
      `select writerTxn, sequencerTxn from wal_tables() where name = ${quoted(table)}`,
    )
    if (state?.[0] === state?.[1]) return
    if (performance.now() > deadlineMs) throw new Error(`${table} is not applied: ${String(state)}`)
    await sleep(20)
  }
}

/** The rows that a query finds once the table is up to date. */
export async function rowsOf(
  sql: QuestdbSql,
  table: string,
  query: string,
): Promise<readonly (readonly Cell[])[]> {
  await applied(sql, table)
  return sql.rows(query)
}
