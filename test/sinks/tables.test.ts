import assert from 'node:assert/strict'
import { test } from 'node:test'
import { declaredErrors } from '../../src/kernel/errors.ts'
import { TABLES } from '../../src/schemas/tables.ts'
import { questdbSql } from '../../src/sinks/questdb-http.ts'
import { ensureTables, tableStatements } from '../../src/sinks/tables.ts'
import { uniquePrefix } from '../support/config.ts'
import { applied, dropTables, questdbUrl, testTables } from './support.ts'

test('four processes that start at once make every table, once', async (t) => {
  const prefix = uniquePrefix()
  t.after(() => dropTables(prefix))
  await Promise.all([1, 2, 3, 4].map(() => ensureTables({ questdbUrl, prefix })))
  const sql = questdbSql(questdbUrl)
  const tables = () =>
    sql.rows(
      'select table_name, directoryName, ttlValue from tables() ' +
        `where table_name like '${prefix}%' order by table_name`,
    )
  const made = await tables()
  assert.deepEqual(
    made.map(([name]) => String(name).slice(prefix.length)),
    [
      ...['anomalies', 'baselines', 'dr_deltas', 'locations', 'meters', 'readings', 'totals'],
      ...['windows', 'windows_1d', 'windows_1h'],
    ],
  )
  assert.ok(
    made.every(([, , ttl]) => ttl === 0),
    'replayed history must not expire',
  )
  await ensureTables({ questdbUrl, prefix })
  assert.deepEqual(await tables(), made)
})

/** What somebody may have done to a table, and what the error must name. */
const CHANGES: readonly [what: string, statement: string, column: string][] = [
  ['dropped a column', 'alter table @ drop column quality', 'column quality'],
  ['changed a type', 'alter table @ alter column value type float', 'column value'],
  ['switched deduplication off', 'alter table @ dedup disable', 'DEDUP'],
  [
    'took a key away',
    'alter table @ dedup enable upsert keys(ts, tenant, meter_id)',
    'column channel',
  ],
  [
    'added a key',
    'alter table @ dedup enable upsert keys(ts, tenant, meter_id, channel, quality)',
    'column quality',
  ],
]

for (const [what, statement, column] of CHANGES) {
  test(`a table whose owner ${what} is refused at start, with the remedy`, async (t) => {
    const { prefix, sql } = await testTables(t)
    await sql.rows(statement.replace('@', `'${prefix}readings'`))
    await applied(sql, `${prefix}readings`)
    await assert.rejects(ensureTables({ questdbUrl, prefix }), (error: Error) => {
      assert.equal((error as Error & { code: string }).code, 'sinks.tableDiffers')
      assert.ok(error.message.includes(`${prefix}readings`), error.message)
      assert.ok(error.message.includes(`${column} is `), error.message)
      assert.match(error.message, /RENAME TABLE .* TO .*start again.*resink/)
      return true
    })
  })
}

test('a column that somebody added beside ours is left alone', async (t) => {
  const { prefix, sql } = await testTables(t)
  await sql.rows(`alter table '${prefix}windows' add column note varchar`)
  await ensureTables({ questdbUrl, prefix })
})

test('every table of the engine has a file that makes it', () => {
  const text = tableStatements('p_').join('\n')
  for (const { table } of Object.values(TABLES)) assert.ok(text.includes(`'p_${table}'`), table)
  assert.throws(() => tableStatements("x'; drop"), { code: 'sinks.badPrefix' })
})

test('a QuestDB that is away, or refuses the login, is said to be', async () => {
  const prefix = uniquePrefix()
  await assert.rejects(ensureTables({ questdbUrl: 'http://127.0.0.1:1', prefix }), {
    code: 'sinks.unavailable',
    retryable: true,
  })
  await assert.rejects(ensureTables({ questdbUrl: 'ftp://127.0.0.1', prefix }), {
    code: 'sinks.badUrl',
  })
  assert.ok(declaredErrors().has('sinks.oldServer'))
})
