import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Registry } from 'prom-client'
import { LIMITS } from '../../src/kernel/limits.ts'
import { TABLES } from '../../src/schemas/tables.ts'
import { questdbSink } from '../../src/sinks/questdb.ts'
import { batchOf, questdbUrl, rowsOf, testTables } from './support.ts'

const DAY = 86_400_000_000
const AT = 1_764_547_200_000_000
const base = { tenant: 'demo', meter_id: 'm-1', channel: 'power_w', quality: 'MEASURED' }

test('what is written is what is read: nulls, longs, doubles, booleans, symbols', async (t) => {
  const { prefix, sql } = await testTables(t)
  const sink = questdbSink({ questdbUrl, prefix })
  t.after(() => sink.close())
  const names = [
    'a b',
    'a,b',
    'a=b',
    'a\\b',
    'a"b',
    "a'b",
    'a\nb',
    'zähler ☃ 😀',
    '\\',
    '\\ ,',
    '%',
  ]
  const longs = [2 ** 53 - 1, -(2 ** 53 - 1), 0, 1e9, 999_999_999, 511 * 2 ** 44 + 17]
  const doubles = [0.1, -0, 5e-324, 1.7976931348623157e308, 1 / 3, 123456789.123456789]
  const rows = names.map((meter_id, i) => ({
    ts: AT + i,
    tenant: 'demo',
    meter_id,
    channel: 'c',
    width: '15m',
    count: longs[i % longs.length]!,
    sum: doubles[i % doubles.length]!,
    estimated: i % 2 === 1,
    revision: i,
  }))
  await sink.write(batchOf(TABLES.windows, rows))
  const table = `${prefix}windows`
  const found = await rowsOf(
    sql,
    table,
    `select cast(ts as long), tenant, meter_id, channel, width, count, sum, estimated, revision,
       mean, energy_wh from '${table}'`,
  )
  const wanted = rows.map((row) => [...Object.values(row), null, null])
  assert.deepEqual(found, wanted)
})

test('of rows with one identity the last stays, in a batch and over batches', async (t) => {
  const { prefix, sql } = await testTables(t)
  const sink = questdbSink({ questdbUrl, prefix })
  t.after(() => sink.close())
  const latest = new Map<number, number>()
  // Four days out of order, and each identity twelve times.
  const rows = fc.sample(fc.nat({ max: 500 }), { numRuns: 6_000, seed: 7 }).map((slot, value) => {
    const ts = AT + (slot % 4) * DAY + slot
    latest.set(ts, value)
    return { ...base, ts, value }
  })
  const writes: Promise<void>[] = []
  for (let from = 0; from < rows.length; from += 1_000) {
    writes.push(sink.write(batchOf(TABLES.readings, rows.slice(from, from + 1_000))))
  }
  await Promise.all(writes)
  const table = `${prefix}readings`
  const found = await rowsOf(sql, table, `select cast(ts as long), value from '${table}'`)
  assert.deepEqual(
    found,
    [...latest].sort(([a], [b]) => a - b),
  )
})

test('a batch larger than a request goes in several, and counts', async (t) => {
  const { prefix, sql } = await testTables(t)
  const metrics = new Registry()
  const sink = questdbSink({ questdbUrl, prefix, metrics })
  t.after(() => sink.close())
  const count = LIMITS.questdbRequestRowsMax + 1
  const rows = Array.from({ length: count }, (_, i) => ({ ...base, ts: AT + i, value: i }))
  await sink.write(batchOf(TABLES.readings, rows))
  const table = `${prefix}readings`
  assert.deepEqual(await rowsOf(sql, table, `select count(), sum(value) from '${table}'`), [
    [count, (count * (count - 1)) / 2],
  ])
  const text = await metrics.metrics()
  assert.ok(text.includes(`meterloom_questdb_rows_total{table="${table}"} ${count}`), text)
  assert.ok(text.includes(`{table="${table}",outcome="acknowledged"} 2`), text)
})

test('a row that QuestDB cannot take is named, and the next batch goes on', async (t) => {
  const { prefix, sql } = await testTables(t)
  const sink = questdbSink({ questdbUrl, prefix })
  t.after(() => sink.close())
  const table = `${prefix}readings`
  await sql.rows(`alter table '${table}' alter column value type boolean`)
  const rows = [
    { ...base, ts: AT, meter_id: 'second', value: 2 },
    { ...base, ts: AT - 1, meter_id: 'first', value: 1 },
  ]
  await assert.rejects(sink.write(batchOf(TABLES.readings, rows)), (error: Error) => {
    assert.equal((error as Error & { code: string }).code, 'sinks.rowRefused')
    assert.match(error.message, /ts=2025-11-30T23:59:59\.999999Z tenant=demo meter_id=first/)
    assert.match(error.message, /column: value/)
    return true
  })
  await sink.write(batchOf(TABLES.readings, [{ ...base, ts: AT }]))
  assert.deepEqual(await rowsOf(sql, table, `select meter_id from '${table}'`), [['m-1']])
})

test('a row before 1970 is left out and counted, the rest is written', async (t) => {
  const { prefix, sql } = await testTables(t)
  const metrics = new Registry()
  const sink = questdbSink({ questdbUrl, prefix, metrics })
  t.after(() => sink.close())
  const rows = [0, -1, AT, -900_000_000].map((ts) => ({ ...base, ts, value: ts }))
  await sink.write(batchOf(TABLES.readings, rows))
  await sink.write(batchOf(TABLES.readings, rows.slice(1, 2)))
  const table = `${prefix}readings`
  const found = await rowsOf(sql, table, `select cast(ts as long) from '${table}'`)
  assert.deepEqual(found, [[0], [AT]])
  const text = await metrics.metrics()
  assert.ok(text.includes(`meterloom_questdb_rows_unstorable_total{table="${table}"} 3`), text)
})
