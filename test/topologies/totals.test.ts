import assert from 'node:assert/strict'
import test from 'node:test'
import type { Driver } from '../../src/engine/driver.ts'
import type { Row } from '../../src/engine/memory-tables.ts'
import { oracleTotals } from '../oracle/totals.ts'
import { drive } from '../support/drive.ts'
import { testRegistry } from '../support/registry.ts'
import { roughFleet } from '../support/rough-fleet.ts'
import { SecondStage } from '../support/two-stages.ts'

const MINUTE = 60_000_000
const START = Date.UTC(2026, 2, 1) * 1_000
const METERS = 6

const registry = testRegistry(
  Array.from({ length: METERS }, (_, m) => ({
    ...{ meterId: `rough-${m}`, place: m === 5 ? undefined : `place-${m % 2}` },
  })),
)

interface Way {
  readonly partitions: number
  readonly batchRecords: number
  readonly crashEvery: number
}

/** A rough fleet through both stages, each going on every ten minutes. */
async function through(
  seed: number,
  way: Way,
  minutes = 1_500,
): Promise<{ driver: Driver; stage: SecondStage }> {
  const { partitions, batchRecords, crashEvery } = way
  const driver = drive({ registry, partitions, batchRecords })
  driver.clock.micros = START
  const stage = new SecondStage(driver, { partitions, batchRecords })
  const sent = roughFleet({ seed, meters: METERS, minutes, beyondHorizon: true })
  let step = 0
  const go = async (untilMicros: number) => {
    driver.advanceAppendTime(Math.max(0, untilMicros - driver.clock.micros))
    await driver.run()
    await stage.run()
    if (crashEvery > 0 && ++step % crashEvery === 0) {
      await driver.crashAndRestore()
      await stage.crashAndRestore()
    }
  }
  for (const { dueMicros, reading } of sent) {
    if (dueMicros - driver.clock.micros > 10 * MINUTE) await go(dueMicros)
    driver.append([reading])
  }
  // Ticks alone: meters fall silent, and what is restated comes out.
  const last = driver.clock.micros
  for (let tick = 1; tick <= 24 * 60; tick++) {
    driver.advanceAppendTime(last + tick * (MINUTE / 4) - driver.clock.micros)
  }
  await go(driver.clock.micros + MINUTE)
  await go(driver.clock.micros + MINUTE)
  return { driver, stage }
}

const ONE: Way = { partitions: 1, batchRecords: 500, crashEvery: 0 }
const known = (value: Row[string]) => (Number.isNaN(value) ? null : (value as number))
const near = (a: number | null, b: number | null) =>
  a === b || (a !== null && b !== null && Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a)))

for (const seed of [1, 2, 3]) {
  test(`totals are what the law says of the meters' windows (seed ${seed})`, async () => {
    const { driver, stage } = await through(seed, { ...ONE, partitions: 3, batchRecords: 97 })
    const expected = await oracleTotals(driver.log, 'contributions')
    const reached = new Set<unknown>()
    for (const [key, total] of expected) {
      const row = stage.rows.get(key)
      if (row === undefined) {
        assert.equal(total.reporting, 0, `${key} is missing`)
        continue
      }
      assert.ok(near(known(row['sum']), total.sum), `${key} sum: ${row['sum']}, not ${total.sum}`)
      assert.ok(near(known(row['mean']), total.mean), `${key} mean`)
      assert.ok(near(known(row['energy_wh']), total.energyWh), `${key} energy`)
      assert.equal(row['reporting'], total.reporting, key)
      assert.ok((row['expected'] as number) >= total.reporting, key)
      assert.equal(row['final'], true, `${key} is final where all are silent`)
      reached.add(`${String(row['scope'])} ${total.reporting}`)
    }
    assert.ok(stage.rows.size > 800, `only ${stage.rows.size} rows`)
    assert.equal([...stage.rows.keys()].filter((key) => !expected.has(key)).length, 0)
    assert.ok(reached.has('tenant 6') && reached.has('place 3'), [...reached].join())
    const provisional = stage.emitted.filter((row) => row['final'] === false).length
    assert.ok(provisional > 100, `only ${provisional} provisional rows`)
  })
}

test('totals are the same through crashes, record by record, and in other partitions', async () => {
  const straight = await through(4, ONE, 240)
  const crashed = await through(4, { ...ONE, batchRecords: 1, crashEvery: 5 }, 240)
  assert.deepEqual(crashed.stage.emitted, straight.stage.emitted)
  const spread = await through(4, { partitions: 5, batchRecords: 50, crashEvery: 7 }, 240)
  // Which meter comes first differs, and what a window was expected to have while it was open.
  const content = ({ stage }: typeof straight) =>
    [...stage.rows].map(([key, row]) => [key, row['sum'], row['mean'], row['energy_wh']]).sort()
  assert.deepEqual(content(spread), content(straight))
})

test('a record between the stages that is appended twice counts once', async () => {
  const { driver, stage } = await through(5, ONE, 240)
  const rows = new Map(stage.rows)
  const topic = 'contributions'
  for await (const batch of driver.log.read({ topic, partition: 0, from: 0 })) {
    for (let i = 0; i < batch.count; i++) {
      const value = Buffer.from(batch.bytes.subarray(batch.valueStart[i], batch.valueEnd[i]))
      const headers = { 'ml-src': Buffer.from(batch.header(i, 'ml-src')!) }
      driver.log.appendNow(topic, [{ key: null, value, partition: 0, headers }])
    }
  }
  const before = stage.tasks[0]!.totalsCounts.contributions
  driver.advanceAppendTime(MINUTE)
  await stage.run()
  assert.ok(stage.tasks[0]!.totalsCounts.repeated > 1_000)
  assert.equal(stage.tasks[0]!.totalsCounts.contributions, before)
  assert.deepEqual(stage.rows, rows)
})
