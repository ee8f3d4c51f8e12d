import assert from 'node:assert/strict'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Registry as MetricsRegistry } from 'prom-client'
import { LIMITS } from '../../src/kernel/limits.ts'
import type { Reading } from '../../src/schemas/records.ts'
import { drive, sorted } from '../support/drive.ts'
import { ADAPTERS, fleet, PARTITIONS, stage, until } from '../support/engine-stage.ts'
import { MemorySink } from '../support/memory-sink.ts'
import { aMeter } from '../support/readings.ts'

const TABLES = ['readings', 'windows', 'baselines', 'anomalies']

async function expectedRows(readings: readonly Reading[]) {
  const driver = drive({ partitions: PARTITIONS })
  driver.append(readings)
  await driver.run()
  return driver
}

const readings = fleet()
const expected = await expectedRows(readings)

/** The rows of several processes' tables are one server's rows. */
function assertRows(sinks: readonly MemorySink[]): void {
  for (const table of TABLES) {
    const byKey = new Map<string, string>()
    const keys = ['ts', 'tenant', 'meter_id', 'channel', 'width', 'kind']
    for (const row of sinks.flatMap((sink) => sink.rows(table))) {
      byKey.set(keys.map((key) => String(row[key])).join('|'), JSON.stringify(row))
    }
    const rows = [...byKey.values()].sort()
    const wanted = sorted(expected.rows(table))
    assert.ok(wanted.length > 0, `the test must reach ${table}`)
    assert.deepEqual(rows, wanted, table)
  }
}

for (const [name, adapter] of Object.entries(ADAPTERS)) {
  test(`${name}: rows and records come out, and offsets are committed after them`, async (t) => {
    const { append, start, drained, committed, log, topics } = await stage(t, adapter)
    const sink = new MemorySink()
    sink.hold()
    const { runtime, stop } = await start(sink)
    await until(() => runtime.readiness().ready)
    await append(readings)
    await until(() => sink.writes > 0)
    await sleep(100)
    assert.deepEqual(await committed(), [0, 0, 0, 0], 'nothing is acknowledged yet')
    sink.release()
    await drained()
    assertRows([sink])
    await stop()
    const ends = await log.endOffsets(topics.windows)
    const records = ends.reduce((a, b) => a + b, 0)
    assert.equal(records, expected.records.get('windows')!.length)
  })

  test(
    `${name}: a process that is killed loses no row, and its successor changes ` + 'none',
    async (t) => {
      const { append, start, drained, failures } = await stage(t, adapter)
      const first = new MemorySink()
      const second = new MemorySink()
      const a = await start(first)
      await append(readings.slice(0, 2_000))
      await until(() => first.rows('readings').length > 500, 20)
      const batch = append(readings.slice(2_000, 3_500))
      await a.kill()
      await batch
      const b = await start(second)
      await append(readings.slice(3_500))
      await drained(40)
      assertRows([first, second])
      assert.ok(second.rows('anomalies').length > 0, 'the successor must have found spikes')
      assert.deepEqual(failures, [])
      await b.stop()
    },
  )

  test(`${name}: processes share the partitions, and take over what one leaves`, async (t) => {
    const { append, start, drained, failures } = await stage(t, adapter)
    const sinks = [new MemorySink(), new MemorySink()] as const
    const a = await start(sinks[0])
    await append(readings.slice(0, 1_000))
    const b = await start(sinks[1])
    await append(readings.slice(1_000, 3_000))
    await until(() => sinks[1].rows('readings').length > 0, 20)
    await drained()
    await a.stop()
    await append(readings.slice(3_000))
    await drained()
    assertRows(sinks)
    assert.deepEqual(failures, [])
    await b.stop()
  })
}

const inMemory = ADAPTERS['memory']!

test(
  'what was sent before a rebalance is committed after it, though nothing new ' + 'comes',
  async (t) => {
    const { append, start, drained } = await stage(t, inMemory)
    const sink = new MemorySink()
    sink.hold()
    const a = await start(sink)
    await append(readings)
    await until(() => sink.writes > 0)
    // The round that is under way ends in a generation that is over.
    const b = await start(new MemorySink())
    await until(() => b.runtime.readiness().ready)
    sink.release()
    await drained()
    await a.stop()
    await b.stop()
  },
)

test('a slow table slows the source down, and memory stays bounded', async (t) => {
  const { append, start, drained, committed } = await stage(t, inMemory)
  const sink = new MemorySink()
  sink.hold()
  const metrics = new MetricsRegistry()
  const { stop } = await start(sink, { metrics })
  const many = Array.from({ length: 400 }, (_, i) => aMeter(`m-${i}`).minutes(250, { power_w: 1 }))
  await append(many.flat())
  await until(() => sink.writes > 0)
  await sleep(1_500)
  const [taken] = (await metrics.getSingleMetric('meterloom_engine_records_total')!.get()).values
  // Two rows and a record each: one round waits for the table, and one gathers.
  assert.ok(taken!.value < LIMITS.engineOutputRowsMax, `${taken!.value} of 100000 are taken in`)
  assert.deepEqual(await committed(), [0, 0, 0, 0])
  sink.release()
  await drained(60)
  assert.equal(sink.rows('readings').length, 100_000)
  await stop()
})

test('a table that refuses rows for good is reported, and nothing is committed', async (t) => {
  const { append, start, committed, failures } = await stage(t, inMemory)
  const sink = new MemorySink()
  sink.write = () => Promise.reject(new Error('no such column'))
  await start(sink)
  await append(readings.slice(0, 100))
  await until(() => failures.length > 0)
  assert.match(String(failures[0]), /no such column/)
  assert.deepEqual(await committed(), [0, 0, 0, 0])
})
