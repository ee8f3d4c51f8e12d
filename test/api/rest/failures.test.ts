import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { Registry as Metrics } from 'prom-client'
import { QueryGate } from '../../../src/api/timeseries/gate.ts'
import { hasCode } from '../../../src/kernel/errors.ts'
import { LIMITS } from '../../../src/kernel/limits.ts'
import { queryProxy } from './query-proxy.ts'
import { answerOf, listeningApi } from './stage.ts'

// When QuestDB is away, slow, refuses or has too much to do.

const proxy = await queryProxy({ after })
const lines: string[] = []
const metrics = new Metrics()
const logger = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) })
const url = await listeningApi({ after }, { questdbUrl: proxy.url, logger, metrics })
const readings = async (at = url) => answerOf(await fetch(`${at}/api/readings`))
const never = new AbortController().signal

test('QuestDB away is 503, says so, and when to come again', async () => {
  const nobody = await listeningApi({ after }, { questdbUrl: 'http://admin:secret@127.0.0.1:1' })
  const { status, headers, body, text } = await readings(nobody)
  assert.equal(status, 503)
  assert.equal(body.code, 'api.storeAway')
  assert.equal(headers.get('retry-after'), String(LIMITS.apiRetryAfterSeconds))
  assert.match(body.detail, /^QuestDB does not answer; try again/)
  assert.doesNotMatch(text, /secret|127\.0\.0\.1/)
})

test('QuestDB without its tables is 503: the processors make them when they start', async () => {
  proxy.mode = { error: 'table does not exist [table=readings]' }
  const { status, body } = await readings()
  assert.equal(status, 503)
  assert.equal(body.code, 'api.starting')
})

test('what nobody foresaw is 500 with nothing of its cause, and the log has it', async () => {
  proxy.mode = { error: 'Invalid column: tenant of the inner parts' }
  lines.length = 0
  const { status, body, text } = await readings()
  assert.equal(status, 500)
  assert.equal(body.code, 'api.unexpected')
  assert.doesNotMatch(text, /inner parts|SELECT/)
  const { instance } = JSON.parse(text) as { instance: string }
  const requestId = instance.slice('urn:uuid:'.length)
  assert.match(body.detail, new RegExp(`the log of the api tells more of request ${requestId}$`))
  assert.equal(lines.length, 1)
  const line = JSON.parse(lines[0]!) as { requestId: string; err: { message: string } }
  assert.equal(line.requestId, requestId)
  assert.match(line.err.message, /inner parts/)
})

test('a client that goes away ends its query, and is no error', async () => {
  proxy.mode = 'hang'
  proxy.abandoned = 0
  lines.length = 0
  const going = new AbortController()
  const gone = fetch(`${url}/api/readings`, { signal: going.signal }).catch(String)
  while (proxy.atOnce === 0) await sleep(10)
  going.abort()
  await gone
  while (proxy.abandoned === 0) await sleep(10)
  assert.deepEqual(lines, [])
})

test('queries above the limit wait their turn, and then are told to come again', async () => {
  proxy.mode = 'hang'
  proxy.atOnceMax = 0
  const limits = { atOnce: 2, waitingMax: 3, waitMsMax: 300, queryMsMax: 600 }
  const gate = new QueryGate(proxy.url, limits)
  const outcomes: string[] = []
  const ask = (signal = never) =>
    gate.rows('select 1', signal).then(
      () => outcomes.push('rows'),
      (error: unknown) => outcomes.push((error as { code?: string }).code ?? String(error)),
    )
  const going = new AbortController()
  const all = [ask(), ask(), ask(going.signal), ask(), ask()]
  // The queue is full: this one is not even queued.
  await ask()
  assert.deepEqual(outcomes, ['api.busy'])
  going.abort(new Error('gone'))
  await Promise.all(all)
  assert.deepEqual(outcomes, [
    ...['api.busy', 'Error: gone'],
    ...['api.busy', 'api.busy'],
    ...['api.tooSlow', 'api.tooSlow'],
  ])
  assert.equal(proxy.atOnceMax, 2)

  proxy.mode = 'pass'
  const rows = await Promise.all(Array.from({ length: 5 }, () => gate.rows('select 1', never)))
  assert.deepEqual(rows, Array(5).fill([[1]]))
  assert.equal(proxy.atOnceMax, 2, 'who waited came after')
})

test('a query that takes too long is ended and named so', async () => {
  proxy.mode = 'hang'
  const gate = new QueryGate(proxy.url, { queryMsMax: 100 })
  await assert.rejects(gate.rows('select 1', never), (error: unknown) => {
    assert.ok(hasCode(error, 'api.tooSlow'))
    assert.match(error.message, /more than 0.1 s for this: name a meter or a channel/)
    return true
  })
})

test('requests are counted by route, method and status', async () => {
  proxy.mode = 'pass'
  await fetch(`${url}/api/readings?limit=0`)
  await fetch(`${url}/api/nothing/of/this/name`)
  const text = await metrics.metrics()
  const value = (labels: string) =>
    Number(new RegExp(`requests_total\\{${labels}\\} (\\d+)`).exec(text)?.[1])
  assert.equal(value('route="/api/readings",method="GET",status="400"'), 1)
  assert.equal(value('route="/api/readings",method="GET",status="500"'), 1)
  assert.equal(value('route="/api/readings",method="GET",status="499"'), 1)
  assert.equal(value('route="/api/windows",method="GET",status="200"'), 0)
  assert.doesNotMatch(text, /of\/this\/name/)
  assert.match(text, /request_seconds_count\{route="\/api\/readings"\} 3/)
})
