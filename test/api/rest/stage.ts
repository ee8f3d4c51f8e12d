import assert from 'node:assert/strict'
import { pino } from 'pino'
import { Registry as Metrics } from 'prom-client'
import { type AppOptions, makeApp } from '../../../src/api/app.ts'
import { questdbSink } from '../../../src/sinks/questdb.ts'
import type { QuestdbSql } from '../../../src/sinks/questdb-http.ts'
import { TABLES, type TableName } from '../../../src/schemas/tables.ts'
import { applied, batchOf, questdbUrl, testTables } from '../../sinks/support.ts'
import { testRegistry } from '../../support/registry.ts'
import { TestFleet } from './test-fleet.ts'
import type { Scope } from '../../support/database.ts'

export type Row = Readonly<Record<string, string | number | boolean>>

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The text as JSON, whatever it is. */
  readonly body: Body
}

/** What tests look at of pages, charts and problems. */
export interface Body {
  readonly items: Record<string, unknown>[]
  readonly next: string | null
  readonly width: string
  readonly code: string
  readonly detail: string
  readonly field: string
  readonly value: string
  readonly remedy: string
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>

/** Tables of a test's own, and an api over them. */
export interface Stage {
  readonly prefix: string
  readonly sql: QuestdbSql
  readonly url: string
  write(table: TableName, rows: readonly Row[]): Promise<void>
  get(path: string, query?: Query, headers?: Record<string, string>): Promise<Answer>
  /** All items of a query, page by page. */
  walk(path: string, query: Query): Promise<Record<string, unknown>[]>
}

export async function stage(scope: Scope, options: Partial<AppOptions> = {}): Promise<Stage> {
  const { prefix, sql } = await testTables(scope)
  const url = await listeningApi(scope, { tablePrefix: prefix, ...options })
  const get: Stage['get'] = async (path, query = {}, headers = {}) => {
    const asked = new URLSearchParams()
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) asked.set(name, String(value))
    }
    return answerOf(await fetch(`${url}${path}?${asked.toString()}`, { headers }))
  }
  return {
    ...{ prefix, sql, url, get },
    async write(name, rows) {
      const sink = questdbSink({ questdbUrl, prefix })
      await sink.write(batchOf(TABLES[name], rows))
      await sink.close()
      await applied(sql, `${prefix}${name}`)
    },
    async walk(path, query) {
      const items: Record<string, unknown>[] = []
      let cursor: string | undefined
      do {
        const { status, body } = await get(path, { ...query, cursor })
        assert.equal(status, 200, body.detail)
        items.push(...body.items)
        assert.ok(body.next === null || body.items.length === (query['limit'] ?? 100))
        cursor = body.next ?? undefined
      } while (cursor !== undefined)
      return items
    },
  }
}

/** An api in this process, closed after the test. @returns Its URL. */
export async function listeningApi(
  scope: Scope,
  options: Partial<AppOptions> = {},
): Promise<string> {
  const app = await makeApp({
    role: 'api',
    metrics: new Metrics(),
    scrapeToken: undefined,
    readiness: () => ({ ready: true, reasons: [] }),
    logger: pino({ level: 'silent' }),
    ...{ questdbUrl, tablePrefix: '', tenant: 'demo', registry: testRegistry() },
    ...{ fleet: new TestFleet(), peers: [] },
    ...options,
  })
  scope.after(() => app.close())
  return app.listen({ host: '127.0.0.1', port: 0 })
}

export async function answerOf(response: Response): Promise<Answer> {
  const { status, headers } = response
  const text = await response.text()
  const isJson = /json/.test(headers.get('content-type') ?? '')
  return { status, headers, text, body: (isJson ? JSON.parse(text) : {}) as Body }
}
