import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { applied, questdbUrl, testTables } from '../sinks/support.ts'
import { analystsUrl, psql } from '../support/psql.ts'

const WRITES = [
  "INSERT INTO @readings(ts, tenant, meter_id, channel, value) VALUES (now(), 'x', 'x', 'x', 1)",
  'UPDATE @readings SET value = 1',
  'TRUNCATE TABLE @readings',
  'DROP TABLE @readings',
  'ALTER TABLE @readings ADD COLUMN note VARCHAR',
  'ALTER TABLE @readings DROP COLUMN value',
  "ALTER TABLE @readings DROP PARTITION WHERE ts < '2030'",
  'RENAME TABLE @readings TO @mine',
  'CREATE TABLE @mine (a INT)',
  'CREATE TABLE @mine AS (SELECT * FROM @readings)',
  'CREATE VIEW @mine AS (SELECT * FROM @readings)',
  'DROP MATERIALIZED VIEW @windows_1d',
  'REFRESH MATERIALIZED VIEW @windows_1h FULL',
  "COPY @readings FROM '/etc/hostname'",
  "COPY @readings TO '@mine' WITH FORMAT PARQUET",
]

const { prefix, sql } = await testTables({ after })
const url = await analystsUrl(questdbUrl)
await sql.rows(
  `insert into '${prefix}readings'(ts, tenant, meter_id, channel, value) ` +
    `values ('2026-03-01', 'demo', 'm-1', 'power_w', 7)`,
)
await applied(sql, `${prefix}readings`)

async function allThatIsThere(): Promise<unknown> {
  return [
    await sql.rows(`select table_name from tables() where table_name like '${prefix}%'`),
    await sql.rows(`select * from table_columns('${prefix}readings')`),
    await sql.rows(`select * from '${prefix}readings'`),
  ]
}

for (const statement of WRITES) {
  test(`the analysts' user cannot ${statement.replaceAll('@', '')}`, async () => {
    const before = await allThatIsThere()
    await assert.rejects(
      psql(url, statement.replaceAll('@', prefix)),
      /permission denied|disabled|not allowed/i,
    )
    assert.deepEqual(await allThatIsThere(), before)
  })
}

test("the analysts' user reads what is there", async () => {
  assert.deepEqual(await psql(url, `select value from ${prefix}readings`), [{ value: '7.0' }])
})
