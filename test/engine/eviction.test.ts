import assert from 'node:assert/strict'
import test from 'node:test'
import { days, hours, minutes } from '../../src/kernel/time.ts'
import type { Reading } from '../../src/schemas/records.ts'
import { drive, driveAlong, sorted, WAYS } from '../support/drive.ts'
import type { Happening } from '../support/drive.ts'
import { aReading, START } from '../support/readings.ts'
import { StateStage } from '../support/state-stage.ts'

const RETENTION = days(35)
const TABLES = ['readings', 'windows', 'baselines', 'anomalies']

/** Four meters for some hours; two of them come back after the retention time, one before it. */
const happenings: Happening[] = []
function hoursOf(meters: readonly string[], begin: number, count: number): void {
  for (let hour = 0; hour < count; hour += 2) {
    const portion: Reading[] = []
    for (let minute = 0; minute < 120; minute += 5) {
      const at = begin + hours(hour) + minutes(minute)
      portion.push(...meters.map((id) => aReading(id, 'power_w', at, 100 + (minute % 35))))
    }
    happenings.push(portion, { appendMicros: hours(2) })
  }
}
hoursOf(['a', 'b', 'c', 'd'], START, 8)
happenings.push({ appendMicros: days(20) })
hoursOf(['d'], START + days(20) + hours(8), 8)
happenings.push({ appendMicros: RETENTION - days(20) })
hoursOf(['a', 'c', 'd', 'e'], START + RETENTION + hours(16), 8)

const straight = await driveAlong(happenings)

test('a series that was silent for the retention time begins cold; others go on', () => {
  const cold = (meter: string) =>
    straight
      .rows('baselines')
      .filter(({ meter_id: id, ts }) => id === meter && Number(ts) > START + RETENTION)
      .map(({ n }) => n)
  assert.equal(cold('a')[0], 24, 'the first baseline is of as few windows as are enough')
  assert.ok(Number(cold('d')[0]) > 24, 'it has its windows of before')
})

for (const way of WAYS) {
  test(`series are forgotten at the same place in the log, ${way.name}`, async () => {
    const driver = await driveAlong(happenings, way)
    const leaveOut = way.partitions === 1 ? [] : ['revision']
    for (const table of TABLES) {
      const expected = sorted(straight.rows(table), leaveOut)
      assert.deepEqual(sorted(driver.rows(table), leaveOut), expected, table)
    }
  })
}

test('slots of what is forgotten serve others, and memory does not grow', async () => {
  const stage = new StateStage()
  const task = stage.fresh().task
  const bytes: number[] = []
  for (let round = 0; round < 6; round++) {
    for (let i = 0; i < 50; i++) {
      stage.append([aReading(`r${round}-${i}`, 'power_w', START + round * days(40), i)])
    }
    // The sweep takes a few with each record.
    for (const batch of await stage.batches()) task.process(batch)
    assert.equal(task.table.seriesCount, 50)
    assert.ok(task.table.slotCount <= 100)
    stage.clock.micros += days(40)
    bytes.push(task.table.series.bytes + task.table.samples.bytes)
  }
  assert.equal(task.table.meterCount, 300, 'meters keep their newest time')
  assert.equal(bytes.at(-1), bytes[1])
})

test('a meter that comes back keeps its watermark: what is far behind is late', async () => {
  const driver = drive()
  driver.append([aReading('m', 'power_w', START + hours(8), 1)])
  driver.advanceAppendTime(RETENTION + days(1))
  driver.append([aReading('m', 'power_w', START, 2)])
  await driver.run()
  assert.equal(driver.counts[0]!.beyondHorizon, 1)
})
