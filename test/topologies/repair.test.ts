import assert from 'node:assert/strict'
import test from 'node:test'
import type { Driver } from '../../src/engine/driver.ts'
import type { Reading, RepairRequest } from '../../src/schemas/records.ts'
import { drive, sorted } from '../support/drive.ts'
import { assertSame, MINUTE, readingsOf, split } from '../support/late-meter.ts'
import { testRegistry } from '../support/registry.ts'
import { Repairing } from '../support/repairing.ts'

const METER = 'rough-1'
const registry = testRegistry([
  { tenant: 'demo', meterId: METER, zone: 'Europe/Berlin', expectedIntervalMicros: MINUTE },
])
const HOUR = 60 * MINUTE

async function inTime(readings: readonly Reading[]): Promise<Driver> {
  const straight = drive({ registry })
  straight.append(readings)
  await straight.run()
  straight.advanceAppendTime(20 * 1_000_000)
  await straight.run()
  return straight
}

const countOf = (driver: Driver, width: string) =>
  driver.rows('windows').filter((row) => row['width'] === width).length

/** Bridges are alive for so many hours, and no meter speaks. */
async function silent(driver: Driver, forHours: number): Promise<void> {
  for (let i = 0; i < forHours * 60 * 2; i++) driver.advanceAppendTime(30 * 1_000_000)
  await driver.run()
}

for (const seed of [1, 2, 3, 4, 5, 6]) {
  test(`after repair all windows are as if nothing had been late (seed ${seed})`, async () => {
    const all = readingsOf(seed, METER)
    const straight = await inTime(all)
    const parts = split(all)
    const driver = drive({ registry })
    driver.append(parts.inTime)
    driver.advanceAppendTime(20 * 1_000_000)
    driver.append(parts.late)
    driver.advanceAppendTime(20 * 1_000_000)
    await driver.run()
    const windows = () => sorted(driver.rows('windows'), ['revision'])
    const expected = sorted(straight.rows('windows'), ['revision'])
    assert.notDeepEqual(windows(), expected)

    const requests = [...(driver.records.get('repairs') as RepairRequest[])]
    assert.ok(requests.length >= 2, 'one for each day')
    const repairing = new Repairing(driver, registry)
    await repairing.run()
    assert.ok(repairing.windows > 1_000)
    assert.deepEqual([countOf(straight, '1d'), countOf(straight, '1mo')], [6, 3])
    assertSame(driver.rows('windows'), straight.rows('windows'))

    // Again, and out of date: nothing changes but the revision.
    const once = windows()
    await repairing.answer(requests)
    await repairing.run()
    await repairing.answer([requests[0]!], 0)
    assert.deepEqual(windows(), once)
    assert.ok(driver.counts[0]!.repairsStale > 0)
    assert.equal(driver.counts[0]!.repairsUnfrozen, 0)
  })

  test(`a day that is still open takes in what is repaired of it (seed ${seed})`, async () => {
    const all = readingsOf(seed, METER)
    const parts = split(all)
    const lateTo = Math.max(...parts.late.map(({ at }) => at))
    const driver = drive({ registry, snapshotEvery: 500 })
    const repairing = new Repairing(driver, registry)
    const isEarly = ({ at }: Reading) => at < lateTo + 3 * HOUR
    driver.append(parts.inTime.filter(isEarly))
    driver.advanceAppendTime(20 * 1_000_000)
    driver.append(parts.late)
    await repairing.run()
    assert.ok(repairing.windows > 1_000)
    // What is to be asked for again is remembered by the state.
    await driver.crashAndRestore()
    driver.append(parts.inTime.filter((reading) => !isEarly(reading)))
    await repairing.run()
    assertSame(driver.rows('windows'), (await inTime(all)).rows('windows'))
  })
}

test('a meter that never speaks again is repaired when silence has closed its time', async () => {
  const all = readingsOf(9, METER).filter((_, i) => i < 900)
  const newest = all.at(-1)!.at
  const isLate = ({ at }: Reading) => at > newest - 2.5 * HOUR && at < newest - 1.1 * HOUR
  const straight = await inTime(all)
  await silent(straight, 2)
  const driver = drive({ registry })
  driver.append(all.filter((reading) => !isLate(reading)))
  driver.advanceAppendTime(20 * 1_000_000)
  driver.append(all.filter(isLate))
  const repairing = new Repairing(driver, registry)
  await repairing.run()
  const before = repairing.windows
  assert.equal(before, 0, 'they can still change')
  await silent(driver, 2)
  await repairing.run()
  assert.ok(repairing.windows - before > 100)
  assert.equal(driver.counts[0]!.repairsUnfrozen, 0)
  assertSame(driver.rows('windows'), straight.rows('windows'))

  // Silence closes the day too, of panes of which the task knows not all.
  await silent(straight, 24)
  await silent(driver, 24)
  await repairing.run()
  assert.equal(countOf(straight, '1d'), 6)
  assertSame(driver.rows('windows'), straight.rows('windows'))
})

test('a silent meter that comes back has what it changes repaired once more', async () => {
  const all = readingsOf(9, METER)
  const early = all.filter((_, i) => i < 900)
  const newest = early.at(-1)!.at
  const isLate = ({ at }: Reading) => at > newest - 2.5 * HOUR && at < newest - 1.1 * HOUR
  const isBacklog = ({ at }: Reading) => at > newest - 0.9 * HOUR && at < newest - 0.8 * HOUR
  const driver = drive({ registry })
  driver.append(early.filter((reading) => !isLate(reading) && !isBacklog(reading)))
  driver.advanceAppendTime(20 * 1_000_000)
  driver.append(early.filter(isLate))
  await silent(driver, 2)
  const repairing = new Repairing(driver, registry)
  await repairing.run()
  assert.ok(repairing.windows > 100)
  driver.append(early.filter(isBacklog))
  driver.append(all.slice(900))
  await repairing.run()
  assertSame(driver.rows('windows'), (await inTime(all)).rows('windows'))
})

test('what is answered too early is not taken, and asked for again when it freezes', async () => {
  const all = readingsOf(9, METER)
  const early = all.filter((_, i) => i < 900)
  const newest = early.at(-1)!.at
  const isLate = ({ at }: Reading) => at > newest - 2.5 * HOUR && at < newest - 1.1 * HOUR
  const driver = drive({ registry })
  driver.append(early.filter((reading) => !isLate(reading)))
  driver.append(early.filter(isLate))
  const repairing = new Repairing(driver, registry)
  repairing.thoughtSilent = true
  await repairing.run()
  assert.ok(driver.counts[0]!.repairsUnfrozen > 0)
  repairing.thoughtSilent = false
  driver.append(all.slice(900))
  await repairing.run()
  assertSame(driver.rows('windows'), (await inTime(all)).rows('windows'))
})
