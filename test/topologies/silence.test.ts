import assert from 'node:assert/strict'
import test from 'node:test'
import type { Driver } from '../../src/engine/driver.ts'
import type { Row } from '../../src/engine/memory-tables.ts'
import { hours, minutes, seconds } from '../../src/kernel/time.ts'
import type { Micros } from '../../src/kernel/time.ts'
import type { WindowRecord } from '../../src/schemas/records.ts'
import { driveAlong, WAYS } from '../support/drive.ts'
import type { Happening } from '../support/drive.ts'
import { aMeter, aReading, START } from '../support/readings.ts'

const QUARTER = minutes(15)
const TICK: Happening = { appendMicros: seconds(10) }

/** Bridges tick for so long, and nothing else comes: each gap counts whole. */
const ticking = (micros: Micros): Happening => ({
  appendMicros: seconds(10),
  times: micros / seconds(10),
})

const silences = (driver: Driver) =>
  driver
    .rows('anomalies')
    .filter((row) => row['kind'] === 'silence')
    .map((row) => [
      row['meter_id'],
      ((row['ts'] as number) - START) / minutes(1),
      row['state'],
      row['value'],
    ])

const windowsOf = (rows: readonly Row[], width: string) =>
  rows
    .filter((row) => row['width'] === width)
    .map((row) => [((row['ts'] as number) - START) / minutes(1), row['count']])

const sum = (driver: Driver, name: 'silent' | 'back') =>
  driver.counts.reduce((total, counts) => total + counts[name], 0)

for (const way of WAYS) {
  test(`a meter that says nothing for 3 intervals is silent, ${way.name}`, async () => {
    const meter = aMeter('m-1')
    const spoken = meter.minutes(20, { power_w: 100 })
    const before = await driveAlong([spoken, ticking(seconds(170))], way)
    assert.deepEqual(silences(before), [])
    const driver = await driveAlong([spoken, ticking(seconds(180))], way)
    assert.deepEqual(silences(driver), [['m-1', 19, 'active', 180]])
    assert.equal(sum(driver, 'silent'), 1)
    const [record] = driver.records.get('anomalies') as { start: number; end: number }[]
    assert.deepEqual(
      [record!.end - record!.start, record!.start],
      [seconds(180), START + minutes(19)],
    )
  })

  test(`silence closes what holds something, and no more, ${way.name}`, async () => {
    const spoken = aMeter('m-1').minutes(20, { power_w: 100 })
    // Its event time is 19 min and what has passed since, less 2 min: here 59 min 50 s.
    const driver = await driveAlong([spoken, ticking(minutes(43) - seconds(10))], way)
    const rows = driver.emitted.get('windows')!
    assert.deepEqual(windowsOf(rows, '15m'), [
      [0, 15],
      [15, 5],
    ])
    assert.equal(windowsOf(rows, '1m').length, 20)
    assert.deepEqual(windowsOf(rows, '1h'), [])
    const longer = await driveAlong([spoken, ticking(minutes(43)), ticking(hours(2))], way)
    assert.deepEqual(windowsOf(longer.emitted.get('windows')!, '1h'), [[0, 20]])
    assert.equal(longer.emitted.get('windows')!.length, 23)
  })

  test(`a backlog is not late, however long its meter was silent, ${way.name}`, async () => {
    const meter = aMeter('m-1')
    const first = meter.minutes(26 * 15, { power_w: 100 })
    const backlog = meter.minutes(3 * 60, { power_w: 100 })
    const driver = await driveAlong([first, ticking(hours(3)), backlog, TICK, TICK], way)
    assert.deepEqual(silences(driver), [['m-1', 389, 'ended', 10_800]])
    assert.equal(
      driver.counts.reduce((total, counts) => total + counts.beyondHorizon, 0),
      0,
    )
    const all = await driveAlong([first, backlog, TICK, TICK], way)
    const quarters = (from: Driver) =>
      windowsOf(from.rows('windows'), '15m').sort(([a], [b]) => Number(a) - Number(b))
    // Straight on, the last quarter hour would have closed at the same reading.
    assert.deepEqual(quarters(driver), quarters(all))
    const baselines = (from: Driver) => from.rows('baselines').length
    assert.equal(baselines(driver), baselines(all), 'what silence did not close is no restatement')
  })

  test(`a window that silence closed too soon is restated, ${way.name}`, async () => {
    const meter = aMeter('m-1')
    const spoken = meter.minutes(20, { power_w: 100 })
    const rest = meter.minutes(12, { power_w: 400 })
    const driver = await driveAlong([spoken, ticking(minutes(20)), rest, TICK, TICK], way)
    const quarter = driver
      .rows('windows')
      .find((row) => row['width'] === '15m' && row['ts'] === START + QUARTER)!
    assert.deepEqual([quarter['count'], quarter['mean']], [15, (5 * 100 + 10 * 400) / 15])
    const records = driver.records.get('windows') as WindowRecord[]
    const said = records.filter((r) => r.width === '15m' && r.start === START + QUARTER)
    assert.deepEqual(
      said.map(({ count }) => count),
      [5, 15],
    )
    assert.ok(said[0]!.revision < said[1]!.revision)
  })

  test(`an hour without bridges makes no meter silent, ${way.name}`, async () => {
    const meter = aMeter('m-1')
    const before = meter.minutes(20, { power_w: 100 })
    const outage: Happening = { appendMicros: hours(1) }
    const after = meter.minutes(60, { power_w: 100 })
    const driver = await driveAlong([before, outage, ticking(minutes(2)), after, TICK], way)
    assert.deepEqual(silences(driver), [])
    assert.equal(sum(driver, 'silent'), 0)
  })

  test(`meters that fall silent at once come by their names, ${way.name}`, async () => {
    const ids = Array.from({ length: 40 }, (_, i) => `m-${(i * 7) % 40}`)
    const spoken = ids.flatMap((id) => aMeter(id).minutes(20, { power_w: 100 }))
    const driver = await driveAlong([spoken, ticking(minutes(4))], way)
    const records = driver.records.get('anomalies') as { meterId: string; revision: number }[]
    assert.equal(records.length, 40)
    if (way.partitions > 1) return
    assert.deepEqual(
      records.map(({ meterId }) => meterId),
      ids.toSorted(),
    )
  })

  test(`one fast clock makes nobody late and nobody silent, ${way.name}`, async () => {
    const fast = aReading('m-fast', 'power_w', START + hours(48), 1)
    const meter = aMeter('m-1')
    const minute = () => [meter.minutes(1, { power_w: 100 }), ticking(minutes(1))]
    const driver = await driveAlong([[fast], ...Array.from({ length: 20 }, minute).flat()], way)
    assert.deepEqual(silences(driver), [])
    assert.equal(windowsOf(driver.rows('windows'), '15m').length, 1)
    assert.equal(
      driver.counts.reduce((total, counts) => total + counts.beyondHorizon, 0),
      0,
    )
  })

  test(`a silence that comes again is another one, ${way.name}`, async () => {
    const meter = aMeter('m-1')
    const spoken = meter.minutes(20, { power_w: 100 })
    const again = meter.minutes(1, { power_w: 100 })
    const pause = ticking(minutes(5))
    const driver = await driveAlong([spoken, pause, again, pause], way)
    assert.deepEqual(silences(driver), [
      ['m-1', 19, 'ended', 300],
      ['m-1', 20, 'active', 180],
    ])
  })
}
