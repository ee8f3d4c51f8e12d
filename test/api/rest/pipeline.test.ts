import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { Gauge, Registry as Metrics } from 'prom-client'
import { Check } from 'typebox/value'
import { Overview, Pipeline } from '../../../src/api/contract/overview.ts'
import type { Peer } from '../../../src/api/ready-of-all.ts'
import { formatMicros, hours, minutes, seconds } from '../../../src/kernel/time.ts'
import { START } from '../../support/readings.ts'
import { testRegistry } from '../../support/registry.ts'
import { queryProxy } from './query-proxy.ts'
import { type Stage, stage } from './stage.ts'
import { TestFleet } from './test-fleet.ts'

const TOKEN = 'scrape me'

interface Role {
  readonly peer: Peer
  reasons: readonly string[]
  metrics: string
  scrapes: number
}

/** A role that says what it is told to. */
async function aRole(role: string, name: string, metrics: string): Promise<Role> {
  const said = { reasons: [] as readonly string[], metrics, scrapes: 0 }
  const server = createServer((request, response) => {
    if (request.url === '/ready') {
      const ready = said.reasons.length === 0
      const body = JSON.stringify({ role, ready, reasons: said.reasons })
      response.writeHead(ready ? 200 : 503).end(body)
      return
    }
    said.scrapes += 1
    const isKnown = request.headers.authorization === `Bearer ${TOKEN}`
    response.writeHead(isKnown ? 200 : 401).end(isKnown ? said.metrics : '')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ready`
  return Object.assign(said, { peer: { name, url } })
}

const bridgeMetrics = (readings: number) => `
# HELP meterloom_bridge_readings_total Readings that are in Kafka
meterloom_bridge_readings_total ${readings}
meterloom_bridge_in_flight 3
meterloom_bridge_dead_letters_total{reason="payload.badTime"} 5
meterloom_bridge_dead_letters_total{reason="payload.noZone"} 0
meterloom_bridge_dead_letters_total{reason="odd \\"one\\", it {is}"} 1
`
const processorMetrics = (records: number, lag: number) => `
meterloom_engine_records_total ${records}
meterloom_engine_append_lag_seconds ${lag}
meterloom_questdb_rows_total{table="readings"} 100
meterloom_questdb_rows_total{table="windows"} 11
`
const workerMetrics = `
meterloom_consumer_lag_records{group="g",topic="t",partition="0"} 7
meterloom_consumer_lag_records{group="g",topic="t",partition="1"} 8
`

const bridgeA = await aRole('bridge', 'bridge-a:1', bridgeMetrics(1_000))
const bridgeB = await aRole('bridge', 'bridge-b:1', bridgeMetrics(234))
const processorA = await aRole('processor', 'processor-a:1', processorMetrics(50, 1.5))
const processorB = await aRole('processor', 'processor-b:1', processorMetrics(60, 0.25))
const worker = await aRole('worker', 'worker:1', workerMetrics)
const roles = [bridgeA, bridgeB, processorA, processorB, worker]

// A clock that stands still but where a test moves it: what is shared for a second is shared.
let nowMs = 0
const clock = { nowMicros: () => START + hours(1), monotonicMillis: () => nowMs }
const proxy = await queryProxy({ after })
const fleet = new TestFleet()
const metrics = new Metrics()
new Gauge({ name: 'meterloom_live_lag_seconds', help: '-', registers: [metrics] }).set(0.125)
const peers = roles.map(({ peer }) => peer)
const registry = testRegistry([{ meterId: 'never' }, { meterId: 'm-1' }])
const options = { fleet, clock, metrics, registry, questdbUrl: proxy.url }
const api = await stage({ after }, { ...options, peers, scrapeToken: TOKEN })

async function pipelineOf(at: Stage): Promise<Pipeline> {
  nowMs += 1_001
  const { status, body, text } = await at.get('/api/pipeline')
  assert.equal(status, 200, text)
  assert.ok(Check(Pipeline, body), text)
  return body
}

test('totals of all bridges and processors, lags, dead letters by reason', async () => {
  const { at, stages, deadLetters } = await pipelineOf(api)
  assert.equal(at, formatMicros(START + hours(1)))
  const well = { ready: true, reasons: [] }
  assert.deepEqual(stages, [
    {
      ...{ stage: 'bridge', ...well, unit: 'readings', total: 1_234 },
      ...{ lagRecords: 6, lagSeconds: null },
    },
    {
      ...{ stage: 'processor', ...well, unit: 'records', total: 110 },
      ...{ lagRecords: 15, lagSeconds: 1.5 },
    },
    {
      ...{ stage: 'questdb', ...well, unit: 'rows', total: 222 },
      ...{ lagRecords: null, lagSeconds: null },
    },
    {
      ...{ stage: 'live', ready: false, reasons: ['this api has no live feed'], unit: 'records' },
      ...{ total: null, lagRecords: null, lagSeconds: 0.125 },
    },
  ])
  assert.deepEqual(deadLetters, [
    { reason: 'payload.badTime', total: 10 },
    { reason: 'odd "one", it {is}', total: 2 },
  ])
})

test('many who look at once make no more scrapes than one', async () => {
  const before = bridgeA.scrapes
  nowMs += 1_001
  const asked = ['/api/pipeline', '/api/overview', '/api/pipeline', '/api/overview']
  await Promise.all(asked.concat(asked).map((path) => api.get(path)))
  await api.get('/api/pipeline')
  assert.equal(bridgeA.scrapes, before + 1)
})

test('what is not ready is a reason of its stage, by the name of who says it', async () => {
  bridgeB.reasons = ['kafka: no broker answers']
  processorA.reasons = ['questdb: table windows is suspended', 'kafka: it is rebalancing']
  processorB.reasons = ['questdb: table windows is suspended']
  proxy.mode = { error: 'broken' }
  const { stages } = await pipelineOf(api)
  proxy.mode = 'pass'
  for (const role of roles) role.reasons = []
  const reasons = Object.fromEntries(stages.map(({ stage: name, reasons: why }) => [name, why]))
  assert.deepEqual(reasons['bridge'], ['bridge-b:1: kafka: no broker answers'])
  assert.deepEqual(reasons['processor'], ['processor-a:1: kafka: it is rebalancing'])
  assert.equal(reasons['questdb']!.length, 2)
  assert.match(reasons['questdb']![0]!, /broken/)
  assert.equal(reasons['questdb']![1], 'table windows is suspended')
  assert.deepEqual(
    stages.map(({ ready }) => ready),
    [false, false, false, false],
  )
  assert.equal(stages[0]!.total, 1_234, 'it counts all the same')
})

test('who does not answer is a reason and no 500, and the others are counted', async () => {
  const nobody = { name: 'bridge', url: 'http://127.0.0.1:1/ready' }
  const stranger = { name: 'far:1', url: 'http://127.0.0.1:2/ready' }
  const lonely = await stage(
    { after },
    {
      ...{ ...options, metrics: new Metrics() },
      peers: [nobody, stranger],
    },
  )
  const { stages } = await pipelineOf(lonely)
  const [bridge, processor] = stages
  assert.deepEqual(bridge?.total, null)
  assert.match(bridge.reasons.join(), /^http:\/\/127\.0\.0\.1:1\/ready does not answer \(.*\)$/)
  // It may be the processor for all that is known.
  assert.match(processor!.reasons.join(), /^far:1: http:\/\/127\.0\.0\.1:2\/ready does not answer/)

  const tokenless = await stage({ after }, { ...options, metrics: new Metrics(), peers })
  const guarded = (await pipelineOf(tokenless)).stages[0]!
  assert.equal(guarded.total, null)
  assert.match(guarded.reasons[0]!, /metrics answers 401; give all roles the same SCRAPE_TOKEN$/)
})

test('the overview: meters, rate, lag, and active anomalies of the last hour', async () => {
  const now = START + hours(1)
  fleet.logMillis = now / 1_000
  fleet.rate = 12.5
  fleet.see('m-1', { lastAt: now, arrivedMillis: now / 1_000 })
  fleet.see('m-2', { lastAt: now, arrivedMillis: (now - hours(25)) / 1_000 })
  fleet.see('m-3', { lastAt: now - hours(3) })
  const anomaly = (i: number, kind: string, state = 'active', tenant = 'demo') => ({
    ...{ ts: now - minutes(59) + seconds(i), tenant, meter_id: 'm-1', channel: 'power_w' },
    ...{ width: '15m', kind, state, severity: 'high', run: 1, revision: i },
  })
  const old = { ...anomaly(9, 'energy_spike'), ts: now - minutes(61) }
  const coming = { ...anomaly(10, 'energy_spike'), ts: now + minutes(1) }
  await api.write('anomalies', [
    ...[anomaly(1, 'energy_spike'), anomaly(2, 'energy_spike'), anomaly(3, 'other')],
    ...[anomaly(4, 'energy_spike', 'retracted'), anomaly(5, 'energy_spike', 'active', 'other')],
    ...[old, coming],
  ])
  nowMs += 10_001
  const { body, text } = await api.get('/api/overview')
  assert.ok(Check(Overview, body), text)
  assert.deepEqual(body, {
    ...{ tenant: 'demo', at: formatMicros(now) },
    meters: { known: 4, reporting: 2, silent: 1, neverSeen: 1 },
    ...{ readingsPerSecond: 12.5, lagSeconds: 1.5 },
    anomaliesLastHour: [
      { kind: 'energy_spike', count: 2 },
      { kind: 'other', count: 1 },
    ],
  })
})

test('the intervals of all meters are asked for every ten seconds at most', async () => {
  nowMs += 10_001
  await api.get('/api/overview')
  const before = proxy.queries
  nowMs += 5_000
  await api.get('/api/overview')
  assert.equal(proxy.queries, before + 1, 'the anomalies alone')
  nowMs += 5_001
  await Promise.all([api.get('/api/overview'), api.get('/api/meters', { meterId: 'nobody' })])
  assert.equal(proxy.queries, before + 3, 'one for both, and the anomalies')
})

test('QuestDB away: the overview says so, and is asked again by the next', async () => {
  nowMs += 10_001
  proxy.mode = { error: 'table does not exist [table=windows]' }
  const away = await api.get('/api/overview')
  proxy.mode = 'pass'
  assert.equal(away.status, 503)
  assert.equal(away.body.code, 'api.starting')
  assert.equal((await api.get('/api/overview')).status, 200)
})

test('a parameter is refused also where there is none', async () => {
  const { status, body } = await api.get('/api/overview', { tenant: 'other' })
  assert.equal(status, 400)
  assert.equal(body.detail, "there is no parameter 'tenant' (its value is 'other'): leave it out")
})
