import assert from 'node:assert/strict'
import test from 'node:test'
import { hours } from '../../src/kernel/time.ts'
import { hasCode } from '../../src/kernel/errors.ts'
import { fuse, topology } from '../../src/engine/dsl.ts'
import type { Stream } from '../../src/engine/dsl.ts'
import type { Sample } from '../../src/engine/nodes.ts'
import { TABLES } from '../../src/schemas/tables.ts'
import { driveAlong, WAYS } from '../support/drive.ts'
import { aMeter } from '../support/readings.ts'
import { testRegistry } from '../support/registry.ts'

/** Rows that say by their `kind` which branch they came through. */
function toRows(stream: Stream<Sample>, name: string): void {
  stream
    .map(`${name}-doubled`, (s) => ({ ...s, value: 2 * s.value }))
    .toTable(`${name}-rows`, TABLES.baselines, {
      ts: (s) => s.at,
      tenant: (s) => s.tenant,
      meter_id: (s) => s.meterId,
      channel: (s) => s.channel,
      width: () => '',
      kind: () => name,
      centre: (s) => s.value,
      lower: () => NaN,
      upper: () => NaN,
      n: () => 1,
      revision: () => 0,
    })
}

const parted = (limit: 'strict' | 'lax') =>
  topology('parted', (t) => {
    const measured = t.readings('measured', { disorder: 0, horizon: hours(1) })
    const isHigh = limit === 'strict' ? (s: Sample) => s.value > 100 : (s: Sample) => s.value > 50
    const cases = { high: isHigh, positive: (s: Sample) => s.value > 0 }
    const { high, positive, other } = measured.branch('by-value', cases, 'other')
    toRows(high, 'high')
    toRows(positive, 'positive')
    toRows(other, 'other')
  })

for (const way of WAYS.slice(0, 4)) {
  test(`each item goes to the first branch that it fits, or to the rest, ${way.name}`, async () => {
    const meter = aMeter('m')
    const values = [200, 60, -5, 0]
    const log = values.map((power_w) => meter.minutes(1, { power_w }))
    const pipeline = fuse('parted', [parted('strict')])
    const driver = await driveAlong(log, way, testRegistry(), pipeline)
    const rows = driver.rows('baselines').map((row) => [row['kind'], row['centre']])
    assert.deepEqual(rows.sort(), [
      ['high', 400],
      ['other', -10],
      ['other', 0],
      ['positive', 120],
    ])
  })
}

test('what parts a stream or makes items of others is part of the fingerprint', () => {
  const strict = fuse('parted', [parted('strict')]).fingerprint
  const lax = fuse('parted', [parted('lax')]).fingerprint
  // Who comes later takes what the first leaves.
  for (const name of ['by-value-high', 'by-value-positive', 'by-value-other', 'high-doubled']) {
    assert.notEqual(strict.get(`parted/${name}`), lax.get(`parted/${name}`), name)
  }
})

test('two branches of one name are refused', () => {
  const twice = () =>
    topology('t', (t) => {
      const measured = t.readings('r', { disorder: 0, horizon: 0 })
      measured.branch('b', { one: () => true }, 'one')
    })
  assert.throws(twice, (error) => hasCode(error, 'engine.badName'))
})
