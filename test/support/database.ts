import type { TestContext } from 'node:test'
import pg from 'pg'
import { ensureTemplate, TEMPLATE_DATABASE } from '../runner/template.ts'
import { uniquePrefix } from './config.ts'

/** What has `after`: a test, or `{ after }` of node:test for a whole file. */
export type Scope = Pick<TestContext, 'after'> | { after(end: () => Promise<void>): void }

/** A database of its own, cloned from the template and dropped afterwards. @returns Its URL. */
export async function testDatabase(scope: Scope): Promise<string> {
  const url = new URL(process.env['DATABASE_URL'] ?? '')
  const name = `${uniquePrefix()}db`
  await ensureTemplate(url.href)
  await administer(url, `create database ${name} template ${TEMPLATE_DATABASE}`)
  // Force: a pool that a failed test left open must not keep the database alive.
  scope.after(() => administer(url, `drop database if exists ${name} with (force)`))
  const own = new URL(url)
  own.pathname = `/${name}`
  return own.href
}

async function administer(url: URL, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url.href })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
