import assert from 'node:assert/strict'
import test from 'node:test'
import { Driver } from '../../../src/engine/driver.ts'
import { minutes, seconds } from '../../../src/kernel/time.ts'
import { tableRecord } from '../../../src/engine/tables/table-record.ts'
import type { TableMode } from '../../../src/engine/tables/nodes.ts'
import { loadCodecs } from '../../../src/schemas/codecs.ts'
import { random } from '../../support/random.ts'
import { LIMITS_TOPIC, limitsPipeline, limitsTable } from '../../support/limits-topology.ts'
import { aMeter, aReading, START } from '../../support/readings.ts'
import { testRegistry } from '../../support/registry.ts'
import { WAYS } from '../../support/drive.ts'
import type { Way } from '../../support/drive.ts'
import type { Reading } from '../../../src/schemas/records.ts'

const codecs = await loadCodecs()
const QUARTER = minutes(15)
const LATER = seconds(20)

interface Limit {
  readonly key: string
  readonly highW: number | null
  readonly validFrom?: number
}

type Step = readonly Reading[] | Limit | number

const limit = (key: string, highW: number | null, validFrom?: number): Limit =>
  validFrom === undefined ? { key, highW } : { key, highW, validFrom }

/** Drives steps: readings, rows of the table, append time that goes on. */
async function driven(mode: TableMode, way: Way, steps: readonly Step[]): Promise<Driver> {
  const next = random(5)
  const driver = new Driver({
    pipeline: limitsPipeline(mode),
    registry: testRegistry(),
    codecs,
    partitions: way.partitions,
    batchRecords: way.batchRecords === 'shuffled' ? () => 1 + Math.floor(next() * 9) : 50,
    members: way.members ?? 1,
    snapshotEvery: way.snapshotEvery ?? 0,
  })
  for (const [i, step] of steps.entries()) {
    if (typeof step === 'number') driver.advanceAppendTime(step)
    else if ('key' in step) {
      const row = step.highW === null ? null : { highW: step.highW, note: 'by hand' }
      const table = limitsTable(mode)
      driver.appendTo(LIMITS_TOPIC, tableRecord(table, step.key, row, step.validFrom))
    } else driver.append(step)
    const crashes = way.crashEvery > 0 && i % way.crashEvery === 0
    if (crashes && way.crashAt === 'anywhere') {
      await driver.runSteps(Math.floor(next() * 40))
      await driver.crashAndRestore()
    }
    await driver.run()
    if (crashes && way.crashAt !== 'anywhere') await driver.crashAndRestore()
  }
  return driver
}

/** Each quarter hour and the limit that was joined to it. */
const joined = (driver: Driver, meterId = 'm-1') =>
  driver
    .rows('baselines')
    .filter((row) => row['meter_id'] === meterId)
    .map((row) => [((row['ts'] as number) - START) / QUARTER, row['upper']])
    .sort(([a], [b]) => Number(a) - Number(b))

for (const way of WAYS) {
  test(`a row holds from its place in the log on, ${way.name}`, async () => {
    const meter = aMeter('m-1')
    const quarter = () => meter.quarterHours(1, { power_w: 100 })
    const driver = await driven('from-now', way, [
      quarter(),
      limit('demo/m-1', 10),
      limit('demo/m-2', 99),
      quarter(),
      limit('demo/m-1', 20),
      quarter(),
      limit('demo/m-1', null),
      quarter(),
      quarter(),
    ])
    // A quarter hour closes with the one after it.
    assert.deepEqual(joined(driver), [
      [0, 10],
      [1, 20],
      [2, NaN],
      [3, NaN],
    ])
  })

  test(`of an effective-dated table the window's own time decides, ${way.name}`, async () => {
    const meter = aMeter('m-1')
    const driver = await driven('effective-dated', way, [
      limit('demo/m-1', 30, START + 3 * QUARTER),
      limit('demo/m-1', 10, START - 5 * QUARTER),
      limit('demo/m-1', 20, START + QUARTER + 1),
      meter.quarterHours(6, { power_w: 100 }),
    ])
    assert.deepEqual(joined(driver), [
      [0, 10],
      [1, 10],
      [2, 20],
      [3, 30],
      [4, 30],
    ])
  })

  test(`a correction reaches windows that can still change, ${way.name}`, async () => {
    const meter = aMeter('m-1')
    const other = aMeter('m-2').quarterHours(10, { power_w: 100 })
    const driver = await driven('effective-dated', way, [
      limit('demo/m-1', 10, START),
      [...meter.quarterHours(10, { power_w: 100 }), ...other],
      limit('demo/m-1', 77, START),
    ])
    // Newest is 149 min, the watermark 147: from quarter 5 on windows are inside the horizon.
    assert.deepEqual(joined(driver), [
      [0, 10],
      [1, 10],
      [2, 10],
      [3, 10],
      [4, 10],
      [5, 77],
      [6, 77],
      [7, 77],
      [8, 77],
    ])
    assert.deepEqual(
      joined(driver, 'm-2').map(([, highW]) => highW),
      Array.from({ length: 9 }, () => NaN),
    )
    const rows = driver.emitted.get('baselines')!.filter((row) => row['upper'] === 77)
    const before = driver.emitted.get('baselines')!.filter((row) => row['upper'] === 10)
    const newest = Math.max(...before.map((row) => Number(row['revision'])))
    assert.ok(
      rows.every((row) => Number(row['revision']) > newest),
      'a higher revision each',
    )
  })

  test(`a late reading meets the row that was corrected before it, ${way.name}`, async () => {
    const meter = aMeter('m-1')
    const late = aReading('m-1', 'power_w', START + 8 * QUARTER + seconds(1), 4_600)
    const driver = await driven('effective-dated', way, [
      limit('demo/m-1', 10, START),
      meter.quarterHours(10, { power_w: 100 }),
      [late],
      limit('demo/m-1', 50, START + 8 * QUARTER),
      LATER,
    ])
    const row = driver.rows('baselines').find((r) => r['ts'] === START + 8 * QUARTER)!
    assert.deepEqual([row['n'], row['upper']], [16, 50])
  })
}

test('advances that come again, go back, or are of no table of ours change nothing', async () => {
  const meter = aMeter('m-1')
  const driver = await driven('from-now', WAYS[0]!, [
    limit('demo/m-1', 10),
    limit('demo/m-1', 20),
    meter.quarterHours(1, { power_w: 100 }),
  ])
  for (const [table, offset] of [
    [LIMITS_TOPIC, 2],
    [LIMITS_TOPIC, 1],
    ['nobodys', 7],
  ] as const) {
    const source = 'an owner of before'
    driver.appendControl({ kind: 'advance', source, table, offset, body: null })
  }
  driver.append(meter.quarterHours(1, { power_w: 100 }))
  await driver.run()
  assert.deepEqual(joined(driver), [[0, 20]])
})

test('records that are no rows of the table are counted, and passed over', async () => {
  const driver = await driven('from-now', WAYS[0]!, [limit('demo/m-1', 10)])
  const bad = ['nothing', '{"highW":"10","note":""}', '{"highW":1}', '[]', '7']
  for (const value of bad) {
    driver.appendTo(LIMITS_TOPIC, {
      ...{ key: Buffer.from('demo/m-1'), value: Buffer.from(value), partition: 0 },
    })
  }
  driver.append(aMeter('m-1').quarterHours(2, { power_w: 100 }))
  await driver.run()
  assert.deepEqual(joined(driver), [[0, 10]])
  assert.equal(driver.counts[0]!.tableRefused, bad.length)
})

test('what a table does not declare is refused before it is written', () => {
  const table = limitsTable('effective-dated')
  const row = { highW: 1, note: '' }
  assert.throws(() => tableRecord(table, 'k', row), { code: 'engine.badTableRow' })
  const partial = { highW: 1 } as unknown as typeof row
  assert.throws(() => tableRecord(table, 'k', partial, 5), { code: 'engine.badTableRow' })
  const now = limitsTable('from-now')
  assert.throws(() => tableRecord(now, 'k', row, 5), { code: 'engine.badTableRow' })
})
