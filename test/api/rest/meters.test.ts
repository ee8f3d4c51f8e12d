import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { Check } from 'typebox/value'
import { pageOf } from '../../../src/api/contract/answers.ts'
import { MeterItem } from '../../../src/api/contract/items.ts'
import { days, formatMicros, hours, minutes, seconds } from '../../../src/kernel/time.ts'
import type { Clock } from '../../../src/kernel/time.ts'
import { CsvReader } from '../../../src/tools/replay/csv.ts'
import { START } from '../../support/readings.ts'
import { testRegistry } from '../../support/registry.ts'
import { type Query, type Row, stage } from './stage.ts'
import { TestFleet } from './test-fleet.ts'

// Twelve minutes past the hour: the last closed quarter is that before the hour's begin.
const NOW = START + hours(12) + minutes(12)
const END = START + hours(12)
const clock: Clock = { nowMicros: () => NOW, monotonicMillis: () => performance.now() }
const LOG_MILLIS = NOW / 1_000
const fleet = new TestFleet()
fleet.logMillis = LOG_MILLIS

const registry = testRegistry([
  { meterId: 'declared', place: 'North', expectedIntervalMicros: seconds(60), zone: 'Asia/Tokyo' },
  { meterId: 'never', place: 'South' },
  { meterId: 'patient', expectedIntervalMicros: seconds(60), silentAfterIntervals: 600 },
  { meterId: 'foreign', tenant: 'other' },
])

/** The windows of the last day of a series, of which each had so many samples. */
function day(meter: string, channel: string, count: number, expected: number | undefined): Row[] {
  return Array.from({ length: 96 }, (_, i) => ({
    ...{ ts: END - days(1) + i * minutes(15), tenant: 'demo', meter_id: meter, channel },
    ...{ width: '15m', count, estimated: false, revision: i },
    ...(expected === undefined ? {} : { expected }),
  }))
}

const ago = (micros: number) => (NOW - micros) / 1_000
const at = (micros: number) => ({ lastAt: NOW - micros, arrivedMillis: ago(micros) })
const value = { at: NOW - minutes(1), value: 1.5, quality: 'MEASURED' } as const

fleet.see('declared', { ...at(seconds(179)), channels: { power_w: value, a_register_wh: value } })
fleet.see('learned', { ...at(seconds(181)), channels: { x: { ...value, value: null } } })
fleet.see('hourly', at(hours(2)))
fleet.see('patient', at(hours(9)))
fleet.see('unknown', at(hours(23)))
fleet.see('gone', at(hours(25)))
fleet.see('replayed', { lastAt: START - days(900), arrivedMillis: ago(seconds(1)) })
fleet.see('seeded', { lastAt: NOW - hours(30) })
fleet.see('elsewhere', { ...at(hours(1)), tenant: 'other' })

const api = await stage({ after }, { fleet, registry, clock })
await api.write('windows', [
  ...day('declared', 'power_w', 12, 15),
  ...day('declared', 'a_register_wh', 15, 15),
  // More than expected of one channel does not make up for another.
  ...day('learned', 'power_w', 30, 15),
  ...day('learned', 'voltage_v', 1, 2),
  ...day('hourly', 'power_w', 0, 0.25).map((row, i) => ({ ...row, count: i % 4 === 0 ? 1 : 0 })),
  ...day('unknown', 'power_w', 7, undefined),
  // A window that is not closed for long enough, and one of before, have no part in it.
  ...day('hourly', 'power_w', 0, 0.25)
    .slice(0, 1)
    .map((row) => ({ ...row, ts: END })),
  ...day('learned', 'power_w', 0, 99)
    .slice(0, 1)
    .map((row) => ({ ...row, ts: END - days(2) })),
  ...day('declared', 'power_w', 0, 15).map((row) => ({ ...row, tenant: 'other' })),
])

const ids = (items: readonly Record<string, unknown>[]) => items.map(({ meterId }) => meterId)
const ALL = ['declared', 'gone', 'hourly', 'learned', 'never', 'patient']
  .concat(['replayed', 'seeded', 'unknown'])
  .sort()
const SILENT = ['gone', 'learned', 'seeded']

test('meters: registered and seen, in the order of their ids, as the contract says', async () => {
  const { status, body } = await api.get('/api/meters')
  assert.equal(status, 200, body.detail)
  assert.deepEqual(ids(body.items), ALL)
  assert.ok(Check(pageOf(MeterItem), body))
  const byId = new Map(body.items.map((item) => [item['meterId'], item]))
  const latest = (channel: string, kind: string, unit: string) => {
    return { channel, unit, kind, at: formatMicros(value.at), value: 1.5, quality: 'MEASURED' }
  }
  assert.deepEqual(byId.get('declared'), {
    ...{ meterId: 'declared', place: 'North', zone: 'Asia/Tokyo', registered: true },
    lastAt: formatMicros(NOW - seconds(179)),
    lastArrivedAt: formatMicros(NOW - seconds(179)),
    ...{ expectedIntervalS: 60, completeness24h: 12 / 15, silent: false },
    latest: [latest('a_register_wh', 'cumulative', 'Wh'), latest('power_w', 'gauge', 'W')],
  })
  assert.deepEqual(byId.get('never'), {
    ...{ meterId: 'never', place: 'South', zone: 'UTC', registered: true },
    ...{ lastAt: null, lastArrivedAt: null, expectedIntervalS: null, completeness24h: null },
    ...{ silent: false, latest: [] },
  })
  const facts = (id: string) => {
    const { expectedIntervalS, completeness24h, silent } = byId.get(id)!
    return [expectedIntervalS, completeness24h, silent]
  }
  // The interval is that of the channel that speaks most often; completeness that of the worst.
  assert.deepEqual(facts('learned'), [60, 0.5, true], 'three minutes and a second of silence')
  assert.deepEqual(facts('hourly'), [3_600, 1, false])
  assert.deepEqual(facts('patient'), [60, null, false])
  assert.deepEqual(facts('unknown'), [null, null, false], '23 h are not a day')
  assert.deepEqual(facts('gone'), [null, null, true], 'a day of silence, whatever the interval')
  assert.deepEqual(facts('seeded'), [null, null, true])
  assert.equal(byId.get('seeded')!['lastArrivedAt'], null)
  assert.deepEqual(facts('replayed'), [null, null, false], 'it speaks now, of long ago')
})

test('where no bridge is alive the log stands still, and nobody falls silent', async () => {
  const still = new TestFleet()
  still.see('learned', at(hours(3)))
  still.logMillis = ago(hours(3))
  const standing = await stage({ after }, { fleet: still, registry, clock })
  const { body } = await standing.get('/api/meters', { meterId: 'learned' })
  assert.equal(body.items[0]!['silent'], false)
})

test('filters: by id, place, words of either, and silence', async () => {
  const found: readonly [Query, readonly string[]][] = [
    [{ meterId: 'hourly' }, ['hourly']],
    [{ meterId: 'elsewhere' }, []],
    [{ place: 'North' }, ['declared']],
    [{ place: 'north' }, []],
    [{ search: 'NORTH' }, ['declared']],
    [{ search: 'E' }, ALL.filter((id) => id.includes('e'))],
    [{ search: "'; drop" }, []],
    [{ silent: true }, SILENT],
    [{ silent: false }, ALL.filter((id) => !SILENT.includes(id))],
    [{ silent: true, search: 'ed' }, ['learned', 'seeded']],
  ]
  for (const [query, wanted] of found) {
    const { body } = await api.get('/api/meters', query)
    assert.deepEqual(ids(body.items), wanted, JSON.stringify(query))
  }
  const refused = await api.get('/api/meters', { silent: 'maybe' })
  assert.equal(refused.status, 400)
  assert.match(refused.body.detail, /^silent is 'maybe': give true or false$/)
})

test('pages of any size give every meter once, also where a filter leaves some out', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 12 }),
      fc.constantFrom(undefined, true, false),
      async (limit, silent) => {
        // The walk sees that pages hold `limit` items but for the last.
        const items = await api.walk('/api/meters', { limit, silent })
        const wanted = ALL.filter((id) => silent === undefined || SILENT.includes(id) === silent)
        assert.deepEqual(ids(items), wanted)
      },
    ),
    { numRuns: 30 },
  )
  const { body } = await api.get('/api/meters', { limit: 2 })
  const foreign = await api.get('/api/meters', { limit: 2, silent: true, cursor: body.next ?? '' })
  assert.equal(foreign.status, 400)
  assert.equal(foreign.body.code, 'api.foreignCursor')
})

test('meters as CSV, their latest values as JSON in one cell', async () => {
  const { text } = await api.get('/api/meters', { format: 'csv' })
  const lines: (readonly string[])[] = []
  const tooLong = () => assert.fail('a line is too long')
  const reader = new CsvReader(1e6, (fields) => lines.push([...fields]), tooLong)
  reader.push(text)
  reader.end()
  const [head, ...rows] = lines
  assert.deepEqual(head, Object.keys(MeterItem.properties))
  assert.deepEqual(
    rows.map(([id]) => id),
    ALL,
  )
  const { body } = await api.get('/api/meters')
  assert.deepEqual(
    rows.map((row) => JSON.parse(row.at(-1)!) as unknown),
    body.items.map(({ latest }) => latest),
  )
})

test('a page of very many meters is one query all the same', async () => {
  const many = new TestFleet()
  many.logMillis = LOG_MILLIS
  const names = Array.from({ length: 2_000 }, (_, i) => `meter-${String(i).padStart(5, '0')}`)
  for (const name of names) many.see(name, at(seconds(1)))
  const crowd = await stage({ after }, { fleet: many, registry: testRegistry(), clock })
  await crowd.write(
    'windows',
    names.flatMap((name, i) => day(name, 'power_w', i % 15, 15).slice(95)),
  )
  const { body } = await crowd.get('/api/meters', { limit: 2_000 })
  assert.deepEqual(
    body.items.map(({ completeness24h }) => completeness24h),
    names.map((_, i) => (i % 15) / (15 * 96)),
  )
})

test('until the fleet is known, the list says so', async () => {
  const early = new TestFleet()
  early.ready = false
  const starting = await stage({ after }, { fleet: early, clock })
  for (const path of ['/api/meters', '/api/overview']) {
    const { status, body, headers } = await starting.get(path)
    assert.equal(status, 503)
    assert.equal(body.code, 'api.starting')
    assert.ok(Number(headers.get('retry-after')) > 0)
  }
})
