import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get } from 'node:http'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fastify } from 'fastify'
import { sendCsv } from '../../../src/api/timeseries/csv.ts'
import { LIMITS } from '../../../src/kernel/limits.ts'
import { formatMicros, seconds } from '../../../src/kernel/time.ts'
import { START } from '../../support/readings.ts'
import { queryProxy } from './query-proxy.ts'
import { stage } from './stage.ts'

// Goal: CSV of any length passes through: what is not yet read is not yet asked of QuestDB, and
// nobody reads for a client that has gone.

const ROWS = 60_000
const proxy = await queryProxy({ after })
const api = await stage({ after }, { questdbUrl: proxy.url })
await api.write(
  'readings',
  Array.from({ length: ROWS }, (_, i) => ({
    // Three rows of each time, so that pieces end between them.
    ...{ ts: START + seconds(Math.floor(i / 3)), tenant: 'demo', meter_id: `meter-${i % 3}` },
    // Long names, so that what sockets take in is a small part of it all.
    ...{ channel: 'c'.repeat(250), value: i / 7, quality: 'MEASURED', seq: i },
  })),
)
const path = `/api/readings?format=csv&from=${formatMicros(START)}&to=2026-03-02T00:00:00Z`
const pieces = Math.ceil((ROWS + 1) / LIMITS.apiCsvRowsAtOnce)

test('CSV has every row once, however many pieces it is read in', async () => {
  for (const order of ['asc', 'desc']) {
    proxy.queries = 0
    const response = await fetch(`${api.url}${path}&order=${order}`)
    const lines = (await response.text()).trimEnd().split('\r\n').slice(1)
    const counts = lines.map((line) => Number(line.split(',').at(-1)))
    if (order === 'desc') counts.reverse()
    assert.deepEqual(
      counts,
      Array.from({ length: ROWS }, (_, i) => i),
    )
    assert.equal(proxy.queries, pieces)
  }
})

test('a client that does not read is not read for, and one that goes ends its query', async () => {
  proxy.queries = 0
  const request = get(`${api.url}${path}`)
  const [response] = (await once(request, 'response')) as [import('node:http').IncomingMessage]
  response.pause()
  // Until what the sockets take in is full; then it stands still, far from the end.
  let before = -1
  while (proxy.queries !== before) {
    before = proxy.queries
    await sleep(500)
  }
  assert.ok(before < pieces / 2, `${before} of ${pieces} pieces were asked for`)
  const open = () => proxy.atOnce
  assert.equal(open(), 0, 'a reader that lingers keeps no query open')
  proxy.mode = 'hang'
  response.resume()
  while (open() === 0) await sleep(20)
  request.destroy()
  while (proxy.abandoned === 0) await sleep(20)
  assert.equal(open(), 0)
  const ended = proxy.queries
  proxy.mode = 'pass'
  await sleep(300)
  assert.equal(proxy.queries, ended, 'nothing more is asked for')
})

test('what is wrong with a query is told as a problem, also where CSV is asked for', async () => {
  const { status, body } = await api.get('/api/readings', { format: 'csv', from: 'yesterday' })
  assert.equal(status, 400)
  assert.equal(body.field, 'from')
  proxy.mode = { error: 'table does not exist [table=x]' }
  const early = await api.get('/api/readings', { format: 'csv' })
  proxy.mode = 'pass'
  assert.equal(early.status, 503)
  assert.equal(early.headers.get('content-disposition'), null)
  assert.equal(early.headers.get('content-type'), 'application/problem+json')
})

test('a client that takes nothing is cut off, and nothing more is made for it', async (t) => {
  let made = 0
  let isOver = false
  async function* endless() {
    try {
      for (;;) {
        made += 1
        yield await Promise.resolve(Array(1_000).fill({ text: 'x'.repeat(1_000) }) as object[])
      }
    } finally {
      isOver = true
    }
  }
  const app = fastify()
  app.get('/', (request, reply) =>
    sendCsv(request, reply, { name: 'endless', fields: ['text'], batches: endless() }, 300),
  )
  t.after(() => app.close())
  const request = get(await app.listen({ host: '127.0.0.1', port: 0 }))
  const [response] = (await once(request, 'response')) as [import('node:http').IncomingMessage]
  response.pause()
  response.on('error', () => undefined)
  while (!isOver) await sleep(20)
  const before = made
  await sleep(100)
  assert.equal(made, before)
})
