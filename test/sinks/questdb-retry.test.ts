import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Registry } from 'prom-client'
import { TABLES } from '../../src/schemas/tables.ts'
import { questdbSink } from '../../src/sinks/questdb.ts'
import { type Fault, faultProxy } from './fault-proxy.ts'
import { batchOf, questdbUrl, rowsOf, testTables } from './support.ts'

const AT = 1_764_547_200_000_000
const base = { tenant: 'demo', meter_id: 'm-1', channel: 'power_w', quality: 'MEASURED' }
const readings = (values: readonly number[]) =>
  batchOf(
    TABLES.readings,
    values.map((value, i) => ({ ...base, ts: AT + i, value })),
  )

const FAULTS: readonly Fault[][] = [
  ['drop-answer'],
  ['status-500', 'drop-answer', 'hang', 'drop-answer', 'status-500'],
]

for (const faults of FAULTS) {
  test(`every row is there once after: ${faults.join(', ')}`, { timeout: 30_000 }, async (t) => {
    const { prefix, sql } = await testTables(t)
    const proxy = await faultProxy(t, questdbUrl)
    const metrics = new Registry()
    const options = { questdbUrl: proxy.url, prefix, metrics, requestTimeoutMs: 300 }
    const sink = questdbSink(options)
    t.after(() => sink.close())
    proxy.faults.push(...faults)
    // The second batch replaces a row of the first: it must not overtake it, whatever is sent
    // again.
    const writes = [sink.write(readings([1, 2, 3])), sink.write(readings([10]))]
    await Promise.all(writes)

    const table = `${prefix}readings`
    const found = await rowsOf(sql, table, `select value from '${table}' order by ts`)
    assert.deepEqual(found, [[10], [2], [3]])
    assert.equal(proxy.seen.writes, faults.length + 2)
    assert.equal(proxy.seen.atOnceMax, faults.includes('hang') ? proxy.seen.atOnceMax : 1)
    const text = await metrics.metrics()
    const failed = `{table="${table}",outcome="failed"} ${faults.length}`
    assert.ok(text.includes(failed), text)
  })
}

test('one table waits while another one is written', async (t) => {
  const { prefix } = await testTables(t)
  const proxy = await faultProxy(t, questdbUrl)
  const sink = questdbSink({ questdbUrl: proxy.url, prefix, requestTimeoutMs: 20_000 })
  t.after(() => sink.close())
  proxy.faults.push('hang')
  let first = 'waiting'
  const hanging = sink.write(readings([1])).catch((error: unknown) => {
    first = (error as { code: string }).code
  })
  while (proxy.seen.writes === 0) await sleep(5)
  await sink.write(batchOf(TABLES.windows, [{ ...base, ts: AT, width: '1m', count: 1 }]))
  assert.equal(first, 'waiting')
  assert.deepEqual(sink.problems(), [], 'ten seconds are not over')
  // A sink that is closed lets go at once: what it had not written was not acknowledged.
  await sink.close()
  await hanging
  assert.equal(first, 'sinks.closed')
})

test('a login that is refused is no reason to try for ever', async (t) => {
  const { prefix } = await testTables(t)
  const url = new URL(questdbUrl)
  url.password = 'wrong'
  const sink = questdbSink({ questdbUrl: url.href, prefix })
  t.after(() => sink.close())
  const error = await sink.write(readings([1])).then(
    () => undefined,
    (thrown: unknown) => thrown as Error & { code: string },
  )
  // An open QuestDB without users, as the embedded one may be, takes any login.
  if (error !== undefined) {
    assert.equal(error.code, 'sinks.rowRefused')
    assert.match(error.message, /40[13]/)
  }
})
