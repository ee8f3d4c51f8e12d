import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Check } from 'typebox/value'
import { Problem } from '../../../src/api/contract/answers.ts'
import { formatMicros, minutes } from '../../../src/kernel/time.ts'
import { START } from '../../support/readings.ts'
import { type Answer, type Query, type Row, stage } from './stage.ts'

// What is refused, and with which words: each names field, value and remedy.

const api = await stage({ after })
const RANGE = { from: formatMicros(START), to: formatMicros(START + minutes(60)) }
const rows = Array.from({ length: 20 }, (_, i): Row => {
  const ts = START + minutes(i)
  return { ts, tenant: 'demo', meter_id: 'm-1', channel: 'power_w', value: i, quality: 'MEASURED' }
})
const secret: Row = { ...rows[0]!, tenant: 'other', meter_id: 'secret' }
await api.write('readings', [...rows, secret])

function assertProblem(answer: Answer, status: number, code: string): void {
  assert.equal(answer.status, status, answer.text)
  assert.equal(answer.headers.get('content-type'), 'application/problem+json')
  assert.equal(answer.body.code, code)
  assert.ok(Check(Problem, answer.body), answer.text)
}

const READINGS = '/api/readings'
const WINDOWS = '/api/windows'
const CHART = { meterId: 'm-1', channel: 'power_w', points: 10 }

const REFUSED: readonly [
  path: string,
  query: Query,
  field: string,
  value: string,
  words: RegExp,
][] = [
  [READINGS, { limit: 0 }, 'limit', '0', /give a whole number from 1 to 10000$/],
  [READINGS, { limit: 10_001 }, 'limit', '10001', /from 1 to 10000$/],
  [READINGS, { limit: '1.5' }, 'limit', '1.5', /a whole number/],
  [READINGS, { limit: '' }, 'limit', '', /a whole number/],
  [READINGS, { limit: 'ten' }, 'limit', 'ten', /a whole number/],
  [READINGS, { order: 'up' }, 'order', 'up', /give asc or desc$/],
  [READINGS, { format: 'xml' }, 'format', 'xml', /give json or csv$/],
  [READINGS, { meterId: '' }, 'meterId', '', /a text of 1 to 256 characters$/],
  [READINGS, { channel: 'x'.repeat(257) }, 'channel', `${'x'.repeat(120)}...`, /1 to 256/],
  [READINGS, { from: '2026-03-01T00:00:00' }, 'from', '2026-03-01T00:00:00', /no zone; append Z/],
  [READINGS, { to: '2026-03-01T00:00' }, 'to', '2026-03-01T00:00', /no zone; append Z/],
  [READINGS, { from: '2026-03-01' }, 'from', '2026-03-01', /ISO 8601.*2026-11-20T00:00:00Z$/],
  [READINGS, { from: '1760000000' }, 'from', '1760000000', /ISO 8601/],
  [READINGS, { from: '2026-02-30T00:00:00Z' }, 'from', '2026-02-30T00:00:00Z', /28 days/],
  [READINGS, { from: '1969-12-31T00:00:00Z' }, 'from', '1969-12-31T00:00:00Z', /1970 to 2255/],
  [READINGS, { to: '9999-01-01T00:00:00Z' }, 'to', '9999-01-01T00:00:00Z', /1970 to 2255/],
  [READINGS, { from: RANGE.to, to: RANGE.from }, 'from', RANGE.to, /before to, which is '2026-03/],
  [READINGS, { from: RANGE.to, to: RANGE.to }, 'from', RANGE.to, /before to/],
  [READINGS, { from: '2200-01-01T00:00:00Z' }, 'from', '2200-01-01T00:00:00Z', /before now/],
  [WINDOWS, { width: '15min' }, 'width', '15min', /give a width such as/],
  [WINDOWS, { points: 1 }, 'points', '1', /a whole number from 2 to 10000$/],
  [WINDOWS, { points: 10, meterId: 'm' }, 'channel', '', /of one meter and one channel/],
  [WINDOWS, { points: 10, channel: 'c' }, 'meterId', '', /of one meter and one channel/],
  [WINDOWS, { ...CHART, cursor: 'abc' }, 'cursor', 'abc', /has no pages/],
  ['/api/baselines', { ...CHART, width: '1m' }, 'width', '1m', /give one of 15m, 1h, 2h/],
  ['/api/anomalies', { state: 'open' }, 'state', 'open', /active or retracted or ended or any$/],
  ['/api/anomalies', { width: '0h' }, 'width', '0h', /give a width such as/],
]

for (const [path, query, field, value, words] of REFUSED) {
  test(`${path} refuses ${field} '${value.slice(0, 40)}'`, async () => {
    const answer = await api.get(path, query)
    assertProblem(answer, 400, 'api.badQuery')
    const { body } = answer
    assert.equal(body.field, field)
    assert.equal(body.value, value)
    assert.match(body.remedy, words)
    assert.ok(body.detail.startsWith(`${field} is '${value}': `), body.detail)
    assert.ok(body.detail.endsWith(body.remedy))
  })
}

test('a parameter that is not known is refused, with the one that was meant', async () => {
  const meant: readonly [string, string | undefined][] = [
    ['meter', 'meterId'],
    ['meter_id', 'meterId'],
    ['METERID', 'meterId'],
    ['chanel', 'channel'],
    ['form', 'from'],
    ['zzz', undefined],
  ]
  for (const [name, known] of meant) {
    const answer = await api.get(READINGS, { ...RANGE, [name]: 'x' })
    assertProblem(answer, 400, 'api.unknownParameter')
    const { body } = answer
    assert.equal(body.field, name)
    assert.match(body.remedy, /There are limit, cursor, format, from, to, meterId, channel, order$/)
    assert.equal(/did you mean (\w+)\?/.exec(body.remedy)?.[1], known)
  }
})

test('a parameter that is given twice is refused', async () => {
  const response = await fetch(`${api.url}${READINGS}?meterId=a&meterId=b`)
  const { detail } = (await response.json()) as { detail: string }
  assert.equal(response.status, 400)
  assert.equal(detail, `meterId is '["a","b"]': it is given 2 times; give it once`)
})

test('an offset whose plus was not written as %2B is understood', async () => {
  for (const offset of ['+01:00', '%2B01:00', '+0100', '+01']) {
    const times = `from=2026-03-01T01:05:00${offset}&to=2026-03-01T01:10:00.5${offset}`
    const response = await fetch(`${api.url}${READINGS}?${times}`)
    const { items } = (await response.json()) as { items: { at: string }[] }
    assert.equal(items[0]?.at, formatMicros(START + minutes(5)), offset)
    assert.equal(items.length, 6)
  }
})

test('a cursor is of its query, and of no other', async () => {
  const { body } = await api.get(READINGS, { ...RANGE, limit: 5 })
  const cursor = body.next ?? ''
  const kept = await api.get(READINGS, { ...RANGE, limit: 15, cursor })
  assert.equal(kept.body.items.length, 15)
  const foreign: readonly [string, Query][] = [
    [READINGS, { ...RANGE, order: 'desc' }],
    [READINGS, { ...RANGE, meterId: 'm-1' }],
    [READINGS, { from: RANGE.from }],
    [READINGS, {}],
  ]
  for (const [path, query] of foreign) {
    const answer = await api.get(path, { ...query, cursor })
    assertProblem(answer, 400, 'api.foreignCursor')
    assert.equal(answer.body.field, 'cursor')
    assert.match(answer.body.detail, /belongs to another query: repeat the query/)
  }
  const made = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const [hash] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as [string]
  const bad = ['', 'abc', '!!!', made({}), made([]), made([hash]), made([hash, 1, 2, 3, 4, 5])]
    .concat(made([hash, -1, 2, 3, 'a', 'b']), made([hash, 1.5, 2, 3, 'a', 'b']))
    .concat(made([hash, '1', 2, 3, 'a', 'b']), made([hash, 1, 2, 1e300, 'a', 'b']))
  for (const one of bad) {
    const answer = await api.get(READINGS, { ...RANGE, cursor: one })
    assertProblem(answer, 400, 'api.foreignCursor')
    assert.match(answer.body.detail, /is no cursor: give `next` of the page before/)
  }
  const elsewhere = await api.get(WINDOWS, { ...RANGE, cursor })
  assertProblem(elsewhere, 400, 'api.foreignCursor')
})

test('what is left out means the present of the first page', async () => {
  const now = Date.now() * 1_000
  const recent = Array.from({ length: 6 }, (_, i) => ({ ...rows[0]!, ts: now - minutes(i + 1) }))
  await api.write('readings', recent)
  const { body } = await api.get(READINGS, { limit: 4 })
  assert.equal(body.items.length, 4)
  // Between two pages comes one that lies in the past, and one that is newer than the first page.
  await api.write('readings', [{ ...rows[0]!, ts: Date.now() * 1_000 }])
  const second = await api.get(READINGS, { limit: 4, cursor: body.next ?? '' })
  assert.deepEqual(
    second.body.items.map(({ at }) => at),
    recent
      .slice(0, 2)
      .map(({ ts }) => formatMicros(ts))
      .reverse(),
  )
  assert.equal(second.body.next, null)
})

test('values of a query are values and never SQL', async () => {
  const attempts = ["m-1' OR '1'='1", "' OR tenant = 'other' --", "x'; DROP TABLE readings; --"]
    .concat(["\\' OR 1=1 --", 'm-1" OR "1"="1', "m-1'/*", '\u0000', "''", "m-1')) UNION ALL (("])
    .concat(['$1', '%27 OR 1=1', 'ʼ OR 1=1', "m-1\n' OR 'a'='a"])
  for (const attempt of attempts) {
    for (const field of ['meterId', 'channel']) {
      const { status, body } = await api.get(READINGS, { ...RANGE, [field]: attempt })
      assert.equal(status, 200, `${attempt}: ${body.detail}`)
      assert.deepEqual(body.items, [], attempt)
    }
    const chart = await api.get(WINDOWS, { ...RANGE, ...CHART, points: 2, meterId: attempt })
    assert.deepEqual(chart.body.items, [], attempt)
    const anomalies = await api.get('/api/anomalies', { ...RANGE, kind: attempt, state: 'any' })
    assert.deepEqual(anomalies.body.items, [], attempt)
  }
  const cursorOf = (place: unknown[], hash: string) =>
    Buffer.from(JSON.stringify([hash, ...place])).toString('base64url')
  const { body } = await api.get(READINGS, { ...RANGE, limit: 1 })
  const [hash, from, to] = JSON.parse(Buffer.from(body.next ?? '', 'base64url').toString()) as [
    string,
    number,
    number,
  ]
  const place = [from, to, START, "' OR tenant = 'other", "' OR 1=1 --"]
  const forged = await api.get(READINGS, { ...RANGE, cursor: cursorOf(place, hash) })
  assert.equal(forged.status, 200)
  assert.ok(forged.body.items.every(({ meterId }) => meterId === 'm-1'))
  const all = await api.get(READINGS, { ...RANGE, limit: 10_000 })
  assert.equal(all.body.items.length, rows.length, 'nothing of another tenant, and all is there')
})

test('an address that leads nowhere names the one that was meant', async () => {
  const nowhere: readonly [string, RegExp][] = [
    ['/api/reading', /^there is nothing at \/api\/reading: did you mean \/api\/readings\?/],
    ['/api/Meters/', /did you mean \/api\/meters\? See \/api\/docs/],
    ['/api/some/thing/else', /nothing at \/api\/some\/thing\/else: See \/api\/docs$/],
    ['/api', /nothing at \/api:/],
    ['/api/docs/static/none.js', /nothing at \/api\/docs\/static\/none\.js/],
  ]
  for (const [path, words] of nowhere) {
    const answer = await api.get(path)
    assertProblem(answer, 404, 'api.noRoute')
    assert.match(answer.body.detail, words)
  }
})

test('a method that is not taken is told so, with the one that is', async () => {
  for (const method of ['POST', 'DELETE', 'PUT']) {
    const response = await fetch(`${api.url}${READINGS}`, { method })
    assert.equal(response.status, 405)
    assert.equal(response.headers.get('allow'), 'GET')
    const { code, detail } = (await response.json()) as { code: string; detail: string }
    assert.equal(code, 'api.wrongMethod')
    assert.equal(detail, `/api/readings does not take ${method}: use GET`)
  }
  const head = await fetch(`${api.url}${READINGS}?format=csv`, { method: 'HEAD' })
  assert.equal(head.status, 200)
  assert.equal(head.headers.get('content-type'), 'text/csv; charset=utf-8; header=present')
})

test('a path that is badly encoded is a problem too', async () => {
  const response = await fetch(`${api.url}/api/%ff`)
  assert.equal(response.status, 400)
  assert.equal(response.headers.get('content-type'), 'application/problem+json')
})

test('elsewhere errors are as they were', async () => {
  const response = await fetch(`${api.url}/schemas/ids/99`)
  assert.equal(response.status, 404)
  assert.equal(response.headers.get('content-type'), 'application/vnd.schemaregistry.v1+json')
})
