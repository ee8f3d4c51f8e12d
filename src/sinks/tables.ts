import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { hasCode } from '../kernel/errors.ts'
import { LIMITS } from '../kernel/limits.ts'
import { TABLES, type ColumnType, type TableSpec } from '../schemas/tables.ts'
import { sinkErrors } from './errors.ts'
import { type QuestdbSql, questdbSql, quoted } from './questdb-http.ts'
import { mendViews } from './views.ts'

/**
 * QuestDB's tables and views: `infra/questdb/*.sql`, applied in the order of their names at each
 * start. A statement there changes nothing where its work is done already (IF NOT EXISTS), so that
 * no list of what was applied is needed, and several processes may start at once.
 */

const SQL_FOLDER = join(import.meta.dirname, '../../infra/questdb')
const PREFIX = /^\w{0,64}$/

/** The statements, in order, with the prefix put in. @throws sinks.badPrefix */
export function tableStatements(prefix: string): readonly string[] {
  if (!PREFIX.test(prefix)) throw sinkErrors.badPrefix({ prefix })
  return readdirSync(SQL_FOLDER)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .flatMap((name) => statementsOf(readFileSync(join(SQL_FOLDER, name), 'utf8')))
    .map((statement) => statement.replaceAll('{prefix}', prefix))
}

/** A statement ends with a semicolon at a line's end; comments are whole lines. */
function statementsOf(text: string): readonly string[] {
  return text
    .replace(/^--.*\n/gm, '')
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
}

/**
 * Makes the tables and views that are missing, asserts that those the engine writes are as `TABLES`
 * says, and mends the views where they are invalid.
 *
 * @throws sinks.tableDiffers naming table, column and remedy; sinks.oldServer; sinks.unavailable
 *   (retryable).
 */
export async function ensureTables(options: { questdbUrl: string; prefix: string }): Promise<void> {
  const { questdbUrl, prefix } = options
  const statements = tableStatements(prefix)
  const sql = questdbSql(questdbUrl)
  await assertProtocol(sql)
  for (const statement of statements) await apply(sql, statement)
  for (const spec of Object.values(TABLES)) await assertTable(sql, `${prefix}${spec.table}`, spec)
  await mendViews(sql, prefix)
}

/** Several processes that make the same table at once stand in each other's way for a moment. */
async function apply(sql: QuestdbSql, statement: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await sql.rows(statement)
      return
    } catch (error) {
      if (attempt >= LIMITS.questdbDdlAttemptsMax || !hasCode(error, 'sinks.badQuery')) throw error
      await sleep(LIMITS.questdbRetryMsMin * attempt)
    }
  }
}

/** Doubles go as eight bytes, which is version 2 of the line protocol. */
async function assertProtocol(sql: QuestdbSql): Promise<void> {
  const { origin: address, headers } = sql.address
  let versions: unknown
  try {
    const signal = AbortSignal.timeout(LIMITS.questdbQueryMsMax)
    const response = await fetch(`${address}/settings`, { headers, signal })
    const settings = (await response.json()) as { config?: Record<string, unknown> }
    versions = settings.config?.['line.proto.support.versions']
  } catch (error) {
    // Whether it is away or asks for a login, a query says so better.
    await sql.rows('select 1')
    throw error
  }
  if (!Array.isArray(versions) || !versions.includes(2)) {
    throw sinkErrors.oldServer({ address, versions: JSON.stringify(versions ?? 'unknown') })
  }
}

const SQL_TYPES: Readonly<Record<ColumnType, string>> = {
  timestamp: 'TIMESTAMP',
  symbol: 'SYMBOL',
  double: 'DOUBLE',
  long: 'LONG',
  boolean: 'BOOLEAN',
}

async function assertTable(sql: QuestdbSql, table: string, spec: TableSpec): Promise<void> {
  const name = quoted(table)
  const facts = await sql.rows(
    `select walEnabled, dedup, partitionBy from tables() where table_name = ${name}`,
  )
  const differs = (column: string, found: string, wants: string) =>
    sinkErrors.tableDiffers({ table, column, found, wants })
  const [wal, dedup, partitionBy] = facts[0] ?? []
  if (wal !== true) throw differs('WAL', 'off', 'on')
  if (dedup !== true) throw differs('DEDUP', 'off', `UPSERT KEYS(${spec.keys.join(', ')})`)
  if (partitionBy !== spec.partitionBy) {
    throw differs('PARTITION BY', String(partitionBy), spec.partitionBy)
  }

  const columns = await sql.rows(
    `select "column", type, designated, upsertKey from table_columns(${name})`,
  )
  const found = new Map(columns.map((cells) => [String(cells[0]), cells]))
  for (const { name: column, type } of spec.columns) {
    const [, foundType, designated, upsertKey] = found.get(column) ?? []
    const subject = `column ${column}`
    if (foundType !== SQL_TYPES[type]) {
      throw differs(subject, String(foundType ?? 'not there'), SQL_TYPES[type])
    }
    const isKey = spec.keys.includes(column)
    if (upsertKey !== isKey) {
      throw differs(subject, keyWords(!isKey), keyWords(isKey))
    }
    if (designated !== (column === 'ts')) {
      throw differs(subject, 'not the designated timestamp', 'the designated timestamp')
    }
  }
  // A column of ours that somebody added is left null; one among the keys would keep rows apart.
  for (const [column, cells] of found) {
    if (cells[3] === true && !spec.keys.includes(column)) {
      throw differs(`column ${column}`, keyWords(true), keyWords(false))
    }
  }
}

function keyWords(isKey: boolean): string {
  return isKey ? 'among the DEDUP UPSERT KEYS' : 'not among the DEDUP UPSERT KEYS'
}
