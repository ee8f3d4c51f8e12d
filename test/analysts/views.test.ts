import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { TABLES } from '../../src/schemas/tables.ts'
import { type Cell, questdbSql } from '../../src/sinks/questdb-http.ts'
import { ensureTables } from '../../src/sinks/tables.ts'
import { VIEWS } from '../../src/sinks/views.ts'
import { applied, questdbUrl, testTables } from '../sinks/support.ts'
import { refreshViews } from './support.ts'

type Values = Readonly<Record<string, string | number | boolean>>

/** A window of an hour of m-1, but for what is said otherwise. */
function window(ts: string, values: Values): Values {
  const hour = { tenant: 'demo', meter_id: 'm-1', channel: 'power_w', width: '1h', revision: 1 }
  return { ts, ...hour, expected: 60, estimated: false, ...values }
}

async function insert(prefix: string, rows: readonly Values[]): Promise<void> {
  const sql = questdbSql(questdbUrl)
  const table = `${prefix}windows`
  for (const row of rows) {
    const values = Object.values(row).map((v) => (typeof v === 'string' ? `'${v}'` : String(v)))
    await sql.rows(`insert into '${table}'(${Object.keys(row).join()}) values (${values.join()})`)
  }
  await applied(sql, table)
  await refreshViews(sql, prefix)
}

async function days(prefix: string, columns: string): Promise<readonly (readonly Cell[])[]> {
  return questdbSql(questdbUrl).rows(
    `select ts, meter_id, ${columns} from '${prefix}windows_1d' order by ts, meter_id`,
  )
}

const MARCH_1 = '2026-03-01T00:00:00.000000Z'
const MARCH_2 = '2026-03-02T00:00:00.000000Z'

test('the view of hours has the columns of windows, and nothing but its hours', async (t) => {
  const { prefix, sql } = await testTables(t)
  const stats = { count: 60, sum: 600, min: 1, max: 20, mean: 10, first: 2, last: 3, stddev: 4 }
  await insert(prefix, [
    window(MARCH_1, { ...stats, completeness: 1, energy_wh: 5, estimated: true }),
    window(MARCH_1, { count: 15, width: '15m' }),
    window(MARCH_1, { count: 1, width: '1m' }),
  ])
  const names = TABLES.windows.columns
    .map(({ name }) => name)
    .filter((name) => name !== 'width' && name !== 'revision')
  const view = `'${prefix}windows_1h'`
  const columns = await sql.rows(`select "column" from table_columns(${view})`)
  assert.deepEqual(columns.flat(), names)
  const cells = `select ${names.join()} from`
  assert.deepEqual(
    await sql.rows(`${cells} ${view}`),
    await sql.rows(`${cells} '${prefix}windows' where width = '1h'`),
  )
})

test('a day is the sum of its hours, and hours that are missing count as missing', async (t) => {
  const { prefix } = await testTables(t)
  await insert(prefix, [
    window(MARCH_1, { count: 60, sum: 600, min: 1, max: 20, first: 5, last: 6, energy_wh: 7 }),
    window('2026-03-01T23:00:00Z', { count: 12, sum: 12, min: 0, max: 9, first: 8, last: 4 }),
    window('2026-03-01T12:00:00Z', { count: 0, energy_wh: 3, estimated: true }),
    window(MARCH_2, { count: 30, sum: 60, min: 2, max: 2, first: 2, last: 2 }),
    window(MARCH_1, { meter_id: 'm-2', count: 4, expected: 'NaN', sum: 4 }),
  ])
  assert.deepEqual(await days(prefix, 'count, expected, completeness, mean, min, max'), [
    [MARCH_1, 'm-1', 72, 1440, 0.05, 8.5, 0, 20],
    [MARCH_1, 'm-2', 4, null, null, 1, null, null],
    [MARCH_2, 'm-1', 30, 1440, 30 / 1440, 2, 2, 2],
  ])
  assert.deepEqual(await days(prefix, 'sum, first, last, energy_wh, hours, hours_estimated'), [
    [MARCH_1, 'm-1', 612, 5, 4, 10, 3, 1],
    [MARCH_1, 'm-2', 4, null, null, null, 1, 0],
    [MARCH_2, 'm-1', 60, 2, 2, null, 1, 0],
  ])
})

test('a late hour and a restated one change both views', async (t) => {
  const { prefix, sql } = await testTables(t)
  await insert(prefix, [
    window(MARCH_1, { count: 60, sum: 600 }),
    window(MARCH_2, { count: 60, sum: 60 }),
  ])
  await insert(prefix, [
    window('2026-03-01T07:00:00Z', { count: 40, sum: 80 }),
    window(MARCH_1, { count: 61, sum: 661, revision: 9 }),
  ])
  assert.deepEqual(await sql.rows(`select count, sum from '${prefix}windows_1h' order by ts`), [
    [61, 661],
    [40, 80],
    [60, 60],
  ])
  assert.deepEqual(await days(prefix, 'count, sum'), [
    [MARCH_1, 'm-1', 101, 741],
    [MARCH_2, 'm-1', 60, 60],
  ])
})

test('the hours are refreshed once a minute, and the days with them', async (t) => {
  const { prefix, sql } = await testTables(t)
  const look = () =>
    sql.rows(
      'select base_table_name, refresh_type, timer_interval, timer_interval_unit, view_status ' +
        `from materialized_views() where view_name like '${prefix}%' order by view_name desc`,
    )
  // Those that were made this moment are being refreshed for the first time.
  let found = await look()
  for (let tries = 0; tries < 200 && found.some((row) => row[4] === 'refreshing'); tries += 1) {
    await sleep(50)
    found = await look()
  }
  assert.deepEqual(found, [
    [`${prefix}windows`, 'timer', 1, 'MINUTE', 'valid'],
    [`${prefix}windows_1h`, 'immediate', 0, null, 'valid'],
  ])
})

for (const [what, statement] of [
  ['truncated', "truncate table '@windows'"],
  ['put aside', "rename table '@windows' to '@windows_aside'"],
] as const) {
  test(`views whose table somebody has ${what} are made anew at the next start`, async (t) => {
    const { prefix, sql } = await testTables(t)
    t.after(() => sql.rows(`drop table if exists '${prefix}windows_aside'`))
    await insert(prefix, [window(MARCH_1, { count: 60, sum: 600 })])
    await sql.rows(statement.replaceAll('@', prefix))
    await ensureTables({ questdbUrl, prefix })
    assert.deepEqual(await days(prefix, 'count'), [])
    await insert(prefix, [window(MARCH_2, { count: 7, sum: 7 })])
    assert.deepEqual(await days(prefix, 'count'), [[MARCH_2, 'm-1', 7]])
  })
}

test('every view has a file that makes it', async (t) => {
  const { prefix, sql } = await testTables(t)
  const made = await sql.rows(
    `select view_name from materialized_views() where view_name like '${prefix}%'`,
  )
  assert.deepEqual(made.flat().sort(), VIEWS.map((view) => `${prefix}${view}`).sort())
})
