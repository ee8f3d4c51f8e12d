import assert from 'node:assert/strict'
import test from 'node:test'
import type { Driver } from '../../src/engine/driver.ts'
import type { Row } from '../../src/engine/memory-tables.ts'
import { loadCodecs } from '../../src/schemas/codecs.ts'
import type { Quality, RepairRequest } from '../../src/schemas/records.ts'
import { controlRecord } from '../../src/log/control.ts'
import { repairMeter } from '../../src/tools/repair/repair-meter.ts'
import type { MeterRows } from '../../src/tools/repair/repair-meter.ts'
import { drive, sorted } from '../support/drive.ts'
import { assertSame, MINUTE, readingsOf, split } from '../support/late-meter.ts'
import { testRegistry } from '../support/registry.ts'

const codecs = await loadCodecs()
const registry = testRegistry()
/** What the raw rows of a driver say, as QuestDB would. */
function rowsOf(driver: Driver): MeterRows {
  const raw = driver.rows('readings').toSorted((a, b) => (a['ts'] as number) - (b['ts'] as number))
  const at = (row: Row) => row['ts'] as number
  const good = (channel: string) =>
    raw.filter((row) => row['channel'] === channel && row['quality'] !== 'BAD').map(at)
  const done = <T>(answer: T) => Promise.resolve(answer)
  return {
    newestAt: () => done(Math.max(...raw.map(at))),
    channels: (from, to) => {
      const within = raw.filter((row) => at(row) >= from && at(row) <= to)
      return done([...new Set(within.map((row) => row['channel'] as string))])
    },
    before: (channel, time, count) =>
      done(
        good(channel)
          .filter((one) => one < time)
          .toReversed()
          .slice(0, count),
      ),
    after: (channel, time, count) =>
      done(
        good(channel)
          .filter((one) => one > time)
          .slice(0, count),
      ),
    between: (channel, from, to) =>
      done(
        raw
          .filter((row) => row['channel'] === channel && at(row) >= from && at(row) <= to)
          .map((row) => ({
            at: at(row),
            value: row['value'] as number,
            quality: row['quality'] as Quality,
          })),
      ),
    interval: () => done(MINUTE),
    windows: (channel, from, to) =>
      done(
        driver
          .rows('windows')
          .filter((row) => row['channel'] === channel && at(row) >= from && at(row) < to)
          .map((row) => ({ width: row['width'] as string, start: at(row) })),
      ),
  }
}

async function answer(driver: Driver, requests: readonly RepairRequest[]): Promise<number> {
  let windows = 0
  for (const { tenant, meterId, from, to, offset } of requests) {
    const rows = rowsOf(driver)
    const common = { tenant, meterId, from, to, basis: offset, rows, registry, codecs }
    const results = await repairMeter(common)
    assert.ok(results !== undefined, 'all that is late lies behind the horizon')
    for (const result of results) {
      windows += result.windows.length
      const body = codecs['repair-result'].encode(result)
      const control = { kind: 'repair', source: 'test', table: null, offset: null, body }
      driver.log.appendNow('readings', [controlRecord(codecs.control, control, 0)])
    }
  }
  await driver.run()
  return windows
}

for (const seed of [1, 2, 3, 4, 5, 6]) {
  test(`after repair all windows are as if nothing had been late (seed ${seed})`, async () => {
    const all = readingsOf(seed, 'rough-1')
    const straight = drive({ registry })
    straight.append(all)
    await straight.run()
    straight.advanceAppendTime(20 * 1_000_000)
    await straight.run()

    const { inTime, late } = split(all)
    const driver = drive({ registry })
    driver.append(inTime)
    driver.advanceAppendTime(20 * 1_000_000)
    driver.append(late)
    driver.advanceAppendTime(20 * 1_000_000)
    await driver.run()
    const windows = () => sorted(driver.rows('windows'), ['revision'])
    const expected = sorted(straight.rows('windows'), ['revision'])
    assert.notDeepEqual(windows(), expected)

    const requests = driver.records.get('repairs') as RepairRequest[]
    assert.ok(requests.length >= 2, 'one for each day')
    const repaired = await answer(driver, requests)
    assert.ok(repaired > 1_000)
    assertSame(driver.rows('windows'), straight.rows('windows'))

    // Again, and out of date: nothing changes but the revision.
    const once = windows()
    await answer(driver, requests)
    await answer(driver, [{ ...requests[0]!, offset: 0 }])
    assert.deepEqual(windows(), once)
    assert.ok(driver.counts[0]!.repairsStale > 0)
    assert.equal(driver.counts[0]!.repairsUnfrozen, 0)
  })
}
