import assert from 'node:assert/strict'
import test from 'node:test'
import { minutes, seconds } from '../../src/kernel/time.ts'
import type { Row } from '../../src/engine/memory-tables.ts'
import { driveAlong, WAYS } from '../support/drive.ts'
import type { Happening } from '../support/drive.ts'
import { aMeter, aReading, START } from '../support/readings.ts'

const QUARTER = minutes(15)
const LATER: Happening = { appendMicros: seconds(20) }

/** A verdict in short: quarter hour since the beginning, kind, state, run. */
function verdicts(rows: readonly Row[]): unknown[][] {
  return rows
    .filter((row) => row['channel'] === 'power_w')
    .map((row) => [
      ((row['ts'] as number) - START) / QUARTER,
      row['kind'],
      row['state'],
      row['run'],
    ])
    .sort()
}

for (const way of WAYS) {
  test(`a spike is found once the series is warm, ${way.name}`, async () => {
    const meter = aMeter('m-1')
    const warm = meter.quarterHours(24, { power_w: 100 })
    const spike = meter.quarterHours(1, { power_w: 450 })
    const after = meter.quarterHours(2, { power_w: 100 })
    const cold = aMeter('m-2').quarterHours(20, { power_w: 100 })
    const driver = await driveAlong([warm, cold, LATER, spike, after, LATER], way)
    assert.deepEqual(verdicts(driver.rows('anomalies')), [[24, 'energy_spike', 'active', 1]])
    const [row] = driver.rows('anomalies')
    assert.deepEqual(
      [row!['value'], row!['expected'], row!['pct_change'], row!['severity']],
      [450, 100, 350, 'high'],
    )
    // d = 350, and the larger bound is half of the median.
    assert.equal(row!['score'], 350 / 400)
    const baseline = driver.rows('baselines').find((r) => r['ts'] === START + 24 * QUARTER)!
    assert.deepEqual([baseline['centre'], baseline['n']], [100, 24])
    assert.equal(driver.rows('baselines').length, 2, 'one that is too short makes no baseline')
  })

  test(`from the third spike in a row on, each is a run, ${way.name}`, async () => {
    const meter = aMeter('m-1')
    const warm = meter.quarterHours(30, { power_w: 100 })
    const spikes = meter.quarterHours(4, { power_w: 300 })
    const after = meter.quarterHours(2, { power_w: 100 })
    const driver = await driveAlong([warm, spikes, after, LATER], way)
    assert.deepEqual(verdicts(driver.rows('anomalies')), [
      [30, 'energy_spike', 'active', 1],
      [31, 'energy_spike', 'active', 2],
      [32, 'consecutive_anomalies', 'active', 3],
      [32, 'energy_spike', 'active', 3],
      [33, 'consecutive_anomalies', 'active', 4],
      [33, 'energy_spike', 'active', 4],
    ])
  })

  test(
    'a corrected window takes back its verdict, and the runs after it, ' + way.name,
    async () => {
      const meter = aMeter('m-1')
      const warm = meter.quarterHours(30, { power_w: 100 })
      const spikes = meter.quarterHours(3, { power_w: 300 })
      const after = meter.minutes(5, { power_w: 100 })
      const corrected = Array.from({ length: 15 }, (_, i) =>
        aReading('m-1', 'power_w', START + 31 * QUARTER + minutes(i), 100, { seq: 1 }),
      )
      const driver = await driveAlong([warm, spikes, after, corrected, LATER], way)
      assert.deepEqual(verdicts(driver.rows('anomalies')), [
        [30, 'energy_spike', 'active', 1],
        [31, 'energy_spike', 'retracted', 0],
        [32, 'consecutive_anomalies', 'retracted', 1],
        [32, 'energy_spike', 'active', 1],
      ])
      const records = driver.records.get('anomalies') as { state: string; revision: number }[]
      assert.equal(records.filter(({ state }) => state === 'retracted').length, 2)
      assert.equal(driver.rows('baselines').length, 9, 'a baseline stays as it was first known')
    },
  )

  test(`a window that loses all of its samples is no spike any more, ${way.name}`, async () => {
    const meter = aMeter('m-1')
    const warm = meter.quarterHours(30, { power_w: 100 })
    const spikes = meter.quarterHours(3, { power_w: 300 })
    const after = meter.minutes(5, { power_w: 100 })
    const lost = Array.from({ length: 15 }, (_, i) =>
      aReading('m-1', 'power_w', START + 31 * QUARTER + minutes(i), 300, {
        seq: 1,
        quality: 'BAD',
      }),
    )
    const driver = await driveAlong([warm, spikes, after, lost, LATER], way)
    // Runs are counted over windows with samples: the two that are left follow one another.
    assert.deepEqual(
      verdicts(driver.rows('anomalies')).filter(([, , state]) => state === 'active'),
      [
        [30, 'energy_spike', 'active', 1],
        [32, 'energy_spike', 'active', 2],
      ],
    )
  })
}

test('a run that an older correction changes keeps the revision of its own window', async () => {
  const meter = aMeter('m-1')
  const warm = meter.quarterHours(30, { power_w: 100 })
  const spike = meter.quarterHours(1, { power_w: 300 })
  const before = meter.quarterHours(1, { power_w: 100 })
  const next = meter.quarterHours(1, { power_w: 300 })
  const corrected = Array.from({ length: 15 }, (_, i) =>
    aReading('m-1', 'power_w', START + 31 * QUARTER + minutes(i), 300, { seq: 1 }),
  )
  const closing = meter.minutes(5, { power_w: 100 })
  const driver = await driveAlong([warm, spike, before, next, corrected, closing, LATER])
  const last = driver.emitted
    .get('anomalies')!
    .filter((row) => row['ts'] === START + 32 * QUARTER && row['kind'] === 'energy_spike')
  const [first, again] = last.map((row) => [row['run'], row['revision']])
  assert.equal(last.length, 2)
  assert.deepEqual([first![0], again![0]], [1, 3])
  assert.equal(again![1], first![1], 'it was closed after the correction came')
})
