import assert from 'node:assert/strict'
import test from 'node:test'
import { seconds } from '../../src/kernel/time.ts'
import { driveAlong, sorted, STRAIGHT, WAYS } from '../support/drive.ts'
import type { Happening } from '../support/drive.ts'
import { roughFleet } from '../support/rough-fleet.ts'

const TABLES = ['readings', 'windows', 'baselines', 'anomalies']

/** A misbehaving fleet in portions of about ten minutes, append time going on between them. */
function happenings(seed: number): Happening[] {
  const sent = roughFleet({ seed, meters: 5, minutes: 1_200, beyondHorizon: true })
  const made: Happening[] = []
  for (let at = 0; at < sent.length; at += 60) {
    made.push(sent.slice(at, at + 60).map(({ reading }) => reading))
    made.push({ appendMicros: seconds(at % 120 === 0 ? 4 : 13) })
    // So long that some fall silent, at once and one after the other.
    if (at % 900 === 0) made.push({ appendMicros: seconds(29), times: 7 })
  }
  made.push({ appendMicros: seconds(30) })
  return made
}

const log = happenings(11)
const straight = await driveAlong(log)

for (const way of WAYS) {
  if (way === STRAIGHT) continue
  test(`the same log gives the same rows ${way.name}`, async () => {
    const driver = await driveAlong(log, way)
    // A revision is made of offsets, which another count of partitions numbers anew.
    const leaveOut = way.partitions === 1 ? [] : ['revision']
    for (const table of TABLES) {
      const expected = sorted(straight.rows(table), leaveOut)
      assert.ok(expected.length > 0, `the test must reach ${table}`)
      assert.deepEqual(sorted(driver.rows(table), leaveOut), expected, table)
    }
    const silent = straight.rows('anomalies').filter((row) => row['kind'] === 'silence')
    assert.ok(silent.length > 5, 'the test must reach silences')
    if (way.partitions > 1) return
    assert.deepEqual([...driver.records], [...straight.records], 'records, in order')
    // What was not yet committed comes once more.
    if (way.crashAt === 'anywhere') return
    for (const table of TABLES) {
      const emitted = driver.emitted.get(table) ?? []
      assert.deepEqual(emitted, straight.emitted.get(table), `${table}, in order`)
    }
  })
}
