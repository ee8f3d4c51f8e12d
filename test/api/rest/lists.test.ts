import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type TSchema } from 'typebox'
import { Check, Errors } from 'typebox/value'
import { pageOf } from '../../../src/api/contract/answers.ts'
import * as contract from '../../../src/api/contract/items.ts'
import { formatMicros, hours, minutes } from '../../../src/kernel/time.ts'
import { CsvReader } from '../../../src/tools/replay/csv.ts'
import { START } from '../../support/readings.ts'
import { type Query, type Row, stage } from './stage.ts'

// Windows, baselines and anomalies as lists: all of them, page by page, filtered, and as CSV.

const METERS = ['m-1', 'say "m", 2', 'ünï-3']

/** Rows of every meter, channel, width and kind, at few times. */
function rows(kinds: readonly string[], more: (i: number) => Row): readonly Row[] {
  const all: Row[] = []
  for (let quarter = 0; quarter < 6; quarter++) {
    for (const meter of METERS) {
      for (const channel of ['power_w', 'voltage_v']) {
        for (const width of ['1m', '15m', '1h']) {
          for (const kind of kinds) {
            const ts = START + quarter * minutes(15)
            const key = { ts, tenant: 'demo', meter_id: meter, channel, width }
            all.push({ ...key, ...(kind === '' ? {} : { kind }), ...more(all.length) })
          }
        }
      }
    }
  }
  return all
}

const RANGE = { from: formatMicros(START), to: formatMicros(START + hours(2)) }
const DURATIONS = new Map([
  ['1m', minutes(1)],
  ['15m', minutes(15)],
  ['1h', hours(1)],
])

const WINDOWS = rows([''], (i) => ({
  count: i % 4,
  ...(i % 4 === 0 ? {} : { sum: i / 3, mean: i / 7, min: -i, max: i * 1.5, first: i, last: i + 1 }),
  ...(i % 2 === 0 ? { energy_wh: 1 / (i + 1) } : { expected: 4, completeness: (i % 4) / 4 }),
  estimated: i % 3 === 0,
  revision: 2 ** 44 + i,
}))
const BASELINES = rows(['rolling', 'weekly'], (i) => ({
  ...{ centre: i, lower: i - 0.1, upper: i + 0.1, n: 24 + i, revision: i },
}))
const ANOMALIES = rows(['energy_spike', 'consecutive_anomalies'], (i) => ({
  ...{ score: 1 / (i + 2), expected: i, lower: i - 1, upper: i + 1, value: i * 2 },
  ...(i % 5 === 0 ? {} : { pct_change: 100 + i }),
  ...{ severity: i % 2 ? 'high' : 'medium', state: i % 3 ? 'active' : 'retracted' },
  ...{ run: i, revision: i },
}))

const api = await stage({ after })
await api.write('windows', WINDOWS)
await api.write('baselines', BASELINES)
await api.write('anomalies', ANOMALIES)

/** `energy_wh` is `energyWh`. */
const camel = (name: string) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())

/** The item of a row, field by field in the order of the contract. */
function itemOf(schema: { properties: object }, row: Row): Record<string, unknown> {
  const named = Object.fromEntries(Object.entries(row).map(([name, value]) => [camel(name), value]))
  const ts = Number(row['ts'])
  const end = formatMicros(ts + DURATIONS.get(String(row['width']))!)
  const facts: Record<string, unknown> = { ...named, start: formatMicros(ts), end }
  return Object.fromEntries(Object.keys(schema.properties).map((key) => [key, facts[key] ?? null]))
}

interface List {
  readonly path: string
  readonly rows: readonly Row[]
  readonly schema: TSchema & { properties: object }
  readonly all: Query
}

const LISTS: readonly List[] = [
  { path: '/api/windows', rows: WINDOWS, schema: contract.WindowItem, all: RANGE },
  { path: '/api/baselines', rows: BASELINES, schema: contract.BaselineItem, all: RANGE },
  {
    path: '/api/anomalies',
    rows: ANOMALIES,
    schema: contract.AnomalyItem,
    all: { ...RANGE, state: 'any' },
  },
]

const compare = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))

function expected({ rows: all, schema }: List, keep: (row: Row) => boolean = () => true) {
  const keys = ['meter_id', 'channel', 'width', 'kind']
  return all
    .filter(keep)
    .sort((a, b) => {
      const byKey = keys.map((key) => compare(String(a[key]), String(b[key])))
      return Number(a['ts']) - Number(b['ts']) || (byKey.find((one) => one !== 0) ?? 0)
    })
    .map((row) => itemOf(schema, row))
}

for (const list of LISTS) {
  const { path, schema, all } = list
  test(`${path}: every row, in pages of any size, as the contract says`, async () => {
    const { body } = await api.get(path, { ...all, limit: 10_000 })
    assert.deepEqual(body.items, expected(list))
    const page = pageOf(schema)
    assert.ok(Check(page, body), JSON.stringify(Errors(page, body).slice(0, 3)))
    for (const limit of [7, 36, 1_000]) {
      assert.deepEqual(await api.walk(path, { ...all, limit }), expected(list))
      const backwards = await api.walk(path, { ...all, limit, order: 'desc' })
      assert.deepEqual(backwards, expected(list).reverse())
    }
  })

  test(`${path}: filters by meter, channel, width and time`, async () => {
    const query = { meterId: METERS[1], channel: 'voltage_v', width: '1h' }
    const from = START + minutes(15)
    const to = START + minutes(60)
    const times = { from: formatMicros(from), to: formatMicros(to) }
    const { body } = await api.get(path, { ...all, ...query, ...times })
    const wanted = expected(list, ({ ts, meter_id: meter, channel, width }) => {
      const isTime = Number(ts) >= from && Number(ts) < to
      return isTime && meter === METERS[1] && channel === 'voltage_v' && width === '1h'
    })
    assert.ok(wanted.length >= 3)
    assert.deepEqual(body.items, wanted)
  })

  test(`${path}: as CSV the same, its head line always there`, async () => {
    const csv = await api.get(path, { ...all, format: 'csv', limit: 3 })
    assert.equal(csv.headers.get('content-type'), 'text/csv; charset=utf-8; header=present')
    const name = `${path.split('/').at(-1)!}.csv`
    assert.equal(csv.headers.get('content-disposition'), `attachment; filename="${name}"`)
    const [head, ...lines] = parsed(csv.text)
    assert.ok(head)
    assert.deepEqual(head, Object.keys(schema.properties))
    const texts = expected(list).map((item) =>
      Object.values(item).map((value) => (value === null ? '' : String(value as number))),
    )
    assert.deepEqual(lines, texts)
    assert.match(csv.text, /"say ""m"", 2"/)
    assert.ok(csv.text.split('\n').every((line) => line === '' || line.endsWith('\r')))

    const byHeader = await api.get(path, all, { accept: 'text/csv' })
    assert.equal(byHeader.text, csv.text)
    const none = await api.get(path, { ...all, meterId: 'nobody', format: 'csv' })
    assert.equal(none.text, `${head.join(',')}\r\n`)
  })

  test(`${path}: CSV goes on from a cursor`, async () => {
    const { body } = await api.get(path, { ...all, limit: 10 })
    const rest = await api.get(path, { ...all, format: 'csv', cursor: body.next ?? '' })
    assert.equal(parsed(rest.text).length - 1, expected(list).length - 10)
  })
}

function parsed(text: string): readonly (readonly string[])[] {
  const lines: (readonly string[])[] = []
  const reader = new CsvReader(
    1e6,
    (fields) => lines.push([...fields]),
    () => assert.fail('a line is too long'),
  )
  reader.push(text)
  reader.end()
  return lines
}

test('anomalies: active ones where nothing else is said, by kind, severity and state', async () => {
  const list = LISTS[2]!
  const kept = async (query: Query, keep: (row: Row) => boolean) => {
    const { body } = await api.get('/api/anomalies', { ...RANGE, limit: 10_000, ...query })
    assert.deepEqual(body.items, expected(list, keep), JSON.stringify(query))
  }
  await kept({}, (row) => row['state'] === 'active')
  await kept({ state: 'retracted' }, (row) => row['state'] === 'retracted')
  await kept({ state: 'any', kind: 'energy_spike' }, (row) => row['kind'] === 'energy_spike')
  await kept({ severity: 'high' }, (row) => row['severity'] === 'high' && row['state'] === 'active')
})

test('a client that would rather have JSON gets JSON', async () => {
  for (const accept of ['*/*', 'application/json', 'text/csv;q=0.5, application/json', '']) {
    const { headers } = await api.get('/api/windows', RANGE, { accept })
    assert.match(headers.get('content-type')!, /^application\/json/, accept)
    assert.equal(headers.get('cache-control'), 'no-store')
  }
  const csv = await api.get('/api/windows', RANGE, { accept: 'application/json;q=0.2, text/csv' })
  assert.match(csv.headers.get('content-type')!, /^text\/csv/)
  const json = await api.get('/api/windows', { ...RANGE, format: 'json' }, { accept: 'text/csv' })
  assert.match(json.headers.get('content-type')!, /^application\/json/)
})
