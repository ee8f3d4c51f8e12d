import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { formatMicros, minutes } from '../../../src/kernel/time.ts'
import { QUALITIES } from '../../../src/schemas/records.ts'
import { random } from '../../support/random.ts'
import { START } from '../../support/readings.ts'
import { type Row, stage } from './stage.ts'

// Names that sort differently as UTF-8 and as UTF-16, in either case, and with marks of SQL.
const METERS = ['m-1', 'M-1', 'm 2', "o'neil", 'a"b,c', 'z', 'ä', '\u{1F600}', '～', 'm-1\\']
const CHANNELS = ['power_w', 'Power', 'voltage_v']

/** Few times, so that many rows have the same. */
function readings(): readonly Row[] {
  const next = random(5)
  const rows = new Map<string, Row>()
  for (let i = 0; i < 700; i++) {
    const ts = START + Math.floor(next() * 12) * minutes(1) + (i % 2)
    const row = {
      ts,
      tenant: i % 10 === 0 ? 'other' : 'demo',
      meter_id: METERS[Math.floor(next() * METERS.length)]!,
      channel: CHANNELS[Math.floor(next() * CHANNELS.length)]!,
      value: i % 17 === 0 ? NaN : (next() - 0.5) * 10 ** (i % 40),
      quality: QUALITIES[i % 4]!,
      seq: i % 5 === 0 ? NaN : i,
    }
    rows.set(`${ts} ${row.tenant} ${row.meter_id} ${row.channel}`, row)
  }
  return [...rows.values()]
}

const ROWS = readings()
const FROM = formatMicros(START)
const TO = formatMicros(START + minutes(60))
const api = await stage({ after })
await api.write('readings', ROWS)

const byUtf8 = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))

/** What the api is to answer, computed from what was written. */
function expected(keep: (row: Row) => boolean = () => true) {
  return ROWS.filter((row) => row['tenant'] === 'demo' && keep(row))
    .sort(
      (a, b) =>
        Number(a['ts']) - Number(b['ts']) ||
        byUtf8(String(a['meter_id']), String(b['meter_id'])) ||
        byUtf8(String(a['channel']), String(b['channel'])),
    )
    .map((row) => ({
      meterId: row['meter_id'],
      channel: row['channel'],
      at: formatMicros(Number(row['ts'])),
      value: Number.isNaN(row['value']) ? null : row['value'],
      quality: row['quality'],
      seq: Number.isNaN(row['seq']) ? null : row['seq'],
    }))
}

test('readings are what QuestDB holds of the tenant, in the order of time and names', async () => {
  const { status, body } = await api.get('/api/readings', { from: FROM, to: TO, limit: 10_000 })
  assert.equal(status, 200)
  assert.deepEqual(body.items, expected())
  assert.equal(body.next, null)
})

test('pages of any size give the rows of one large query, in both orders', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 300 }),
      fc.constantFrom('asc', 'desc'),
      fc.constantFrom(undefined, ...CHANNELS),
      fc.constantFrom(undefined, ...METERS),
      fc.integer({ min: 0, max: 6 }),
      fc.integer({ min: 7, max: 13 }),
      async (limit, order, channel, meterId, first, last) => {
        // Pages of one row of all rows would be hundreds of requests.
        const size = channel === undefined && meterId === undefined ? limit + 40 : limit
        const [from, to] = [START + minutes(first), START + minutes(last)]
        const items = await api.walk('/api/readings', {
          ...{ order, channel, meterId, limit: size },
          ...{ from: formatMicros(from), to: formatMicros(to) },
        })
        const all = expected(
          (row) =>
            (channel ?? row['channel']) === row['channel'] &&
            (meterId ?? row['meter_id']) === row['meter_id'] &&
            Number(row['ts']) >= from &&
            Number(row['ts']) < to,
        )
        assert.deepEqual(items, order === 'desc' ? all.reverse() : all)
      },
    ),
    { numRuns: 40 },
  )
})

test('names as long as they may be still have pages', async () => {
  const [meterId, channel] = ['界'.repeat(256), '"'.repeat(256)]
  const long = Array.from({ length: 3 }, (_, i): Row => {
    const series = {
      ts: START,
      tenant: 'demo',
      meter_id: meterId,
      channel: `${i}${channel.slice(1)}`,
    }
    return { ...series, value: i, quality: 'BAD' }
  })
  await api.write('readings', long)
  const items = await api.walk('/api/readings', { meterId, from: FROM, to: TO, limit: 1 })
  assert.deepEqual(
    items.map(({ value }) => value),
    [0, 1, 2],
  )
})
