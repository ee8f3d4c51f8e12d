import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { hours, minutes, seconds } from '../../src/kernel/time.ts'
import { hasCode } from '../../src/kernel/errors.ts'
import { fuse, topology, tumbling } from '../../src/engine/dsl.ts'
import type { Row } from '../../src/engine/memory-tables.ts'
import { QUALITIES } from '../../src/schemas/records.ts'
import type { Reading } from '../../src/schemas/records.ts'
import { TABLES } from '../../src/schemas/tables.ts'
import { windowCells } from '../../topologies/windows.ts'
import { driveAlong, sorted, STRAIGHT, WAYS } from '../support/drive.ts'
import type { Happening } from '../support/drive.ts'
import { aReading, START, winners } from '../support/readings.ts'
import { testRegistry } from '../support/registry.ts'

const SIZE = minutes(90)
const TOLERANCE = minutes(20)

const looking = topology('looking', (t) => {
  const measured = t.readings('measured', { disorder: 'registered', horizon: hours(1) })
  measured
    .window('quarter-hour', tumbling('15m', minutes(15)))
    .toTable('quarters', TABLES.windows, windowCells)
  measured
    .sliding('trailing', tumbling('90m', SIZE))
    .toTable('trailing-rows', TABLES.windows, { ...windowCells, ts: (p) => p.end })
  measured
    .asOf('joined', { left: 'load_w', right: 'pv_w', tolerance: TOLERANCE })
    .toTable('joined-rows', TABLES.baselines, {
      ts: (j) => j.at,
      tenant: (j) => j.tenant,
      meter_id: (j) => j.meterId,
      channel: (j) => j.channel,
      width: () => 'join',
      kind: (j) => j.rightChannel,
      centre: (j) => j.left,
      lower: (j) => j.right,
      upper: (j) => j.rightAt,
      n: () => 1,
      revision: (j) => j.revision,
    })
})
const pipeline = fuse('looking', [looking])

const event = fc.record({
  channel: fc.constantFrom('load_w', 'pv_w', 'other_wh'),
  minute: fc.oneof({ weight: 4, arbitrary: fc.nat(400) }, fc.nat(3_000)),
  second: fc.constantFrom(0, 0, 1),
  lateBy: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.nat(55)),
  value: fc.integer({ min: -1_000, max: 1_000 }),
  seq: fc.nat(2),
  quality: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(3)),
})
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never

function inOrderOfSending(events: readonly Event[]): Reading[] {
  let newest = -Infinity
  return events
    .toSorted((a, b) => a.minute + a.lateBy - (b.minute + b.lateBy))
    .map(({ channel, minute, second, value, seq, quality }) => {
      const at = START + minutes(minute) + seconds(second)
      return aReading('m', channel, at, value, { seq, quality: QUALITIES[quality]! })
    })
    .filter(({ at }) => {
      const isLate = at < newest - minutes(2) - hours(1)
      newest = Math.max(newest, at)
      return !isLate
    })
}

const of = (readings: readonly Reading[], channel: string) =>
  winners(readings.filter(({ measurements: [only] }) => only!.channel === channel))

const CLOSING = [aReading('m', 'load_w', START + hours(90), 0, { seq: 0, quality: 'BAD' })]
const logOf = (readings: readonly Reading[]): Happening[] => [
  [...readings, ...CLOSING],
  { appendMicros: seconds(20) },
]

test('each sample has the window that ends with it, late and corrected ones too', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 120 }), async (events) => {
      const readings = inOrderOfSending(events)
      const driver = await driveAlong(logOf(readings), STRAIGHT, testRegistry(), pipeline)
      const isOurs = (row: Row) => row['width'] === '90m' && row['count'] !== 0
      const found = driver.rows('windows').filter(isOurs)
      const names = ['channel', 'ts', 'count', 'sum', 'min', 'max', 'first', 'last'] as const
      const naive = ['load_w', 'pv_w', 'other_wh'].flatMap((channel) => {
        const samples = of(readings, channel)
        return samples.map(({ at }) => {
          const inside = samples.filter((s) => s.at > at - SIZE && s.at <= at)
          const values = inside.map(({ value }) => value)
          const sum = values.reduce((a, b) => a + b)
          const [least, most] = [Math.min(...values), Math.max(...values)]
          return [channel, at, values.length, sum, least, most, values[0], values.at(-1)]
        })
      })
      const told = found.map((row) => names.map((name) => row[name]))
      assert.deepEqual(told.map(String).sort(), naive.map(String).sort())
    }),
    { numRuns: 60 },
  )
})

test('each sample meets the newest of the other channel within the tolerance', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 120 }), async (events) => {
      const readings = inOrderOfSending(events)
      const driver = await driveAlong(logOf(readings), STRAIGHT, testRegistry(), pipeline)
      const right = of(readings, 'pv_w')
      const naive = of(readings, 'load_w').map(({ at, value }) => {
        const met = right.findLast((s) => s.at <= at && s.at >= at - TOLERANCE)
        return [at, value, met?.value ?? NaN, met?.at ?? NaN]
      })
      const told = driver
        .rows('baselines')
        .filter((row) => !Number.isNaN(row['centre']))
        .map((row) => [row['ts'], row['centre'], row['lower'], row['upper']])
      assert.deepEqual(told.map(String).sort(), naive.map(String).sort())
    }),
    { numRuns: 60 },
  )
})

test('what a late sample touches is said again, and nothing else', async () => {
  const at = (minute: number) => START + minutes(minute)
  const load = [0, 5, 10, 15].map((minute) => aReading('m', 'load_w', at(minute), minute))
  const pv = [0, 10].map((minute) => aReading('m', 'pv_w', at(minute), 100 + minute))
  const log: Happening[] = [
    [...[...load, ...pv].sort((a, b) => a.at - b.at), aReading('m', 'load_w', at(30), 30)],
    { appendMicros: seconds(11) },
    [aReading('m', 'pv_w', at(4), 104)],
    { appendMicros: seconds(11) },
  ]
  const driver = await driveAlong(log, STRAIGHT, testRegistry(), pipeline)
  const told = (driver.emitted.get('baselines') ?? []).map((row) => [row['centre'], row['lower']])
  assert.deepEqual(told.slice(0, 4).map(String), ['0,100', '5,100', '10,110', '15,110'])
  assert.deepEqual(told.slice(4).map(String), ['5,104'])
})

test('sliding windows and joins come out the same however the log is taken in', async () => {
  const [events] = fc.sample(fc.array(event, { minLength: 400, maxLength: 400 }), {
    seed: 7,
    numRuns: 1,
  })
  const readings = inOrderOfSending(events!)
  const log: Happening[] = []
  for (let i = 0; i < readings.length; i += 20) {
    log.push(readings.slice(i, i + 20), { appendMicros: seconds(7) })
  }
  log.push(...logOf([]))
  const straight = await driveAlong(log, STRAIGHT, testRegistry(), pipeline)
  for (const way of WAYS) {
    const driver = await driveAlong(log, way, testRegistry(), pipeline)
    for (const table of ['windows', 'baselines']) {
      const expected = sorted(straight.rows(table), ['revision'])
      assert.ok(expected.length > 50, table)
      assert.deepEqual(sorted(driver.rows(table), ['revision']), expected, way.name)
    }
  }
})

test('how far is looked back is bounded', () => {
  const looksBack = (micros: number) => () =>
    topology('t', (t) => {
      const measured = t.readings('r', { disorder: 0, horizon: 0 })
      measured.sliding('s', tumbling('x', micros))
    })
  const joins = (tolerance: number, right = 'b') => {
    return () =>
      topology('t', (t) => {
        const measured = t.readings('r', { disorder: 0, horizon: 0 })
        measured.asOf('j', { left: 'a', right, tolerance })
      })
  }
  const isRefused = (error: unknown) => hasCode(error, 'engine.badOption')
  for (const refused of [looksBack(0), looksBack(hours(25)), joins(-1), joins(hours(25))]) {
    assert.throws(refused, isRefused)
  }
  assert.throws(joins(0, 'a'), (error) => hasCode(error, 'engine.badName'))
})
