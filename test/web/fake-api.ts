import websocket, { type WebSocket } from '@fastify/websocket'
import { type FastifyInstance, type FastifyRequest, fastify } from 'fastify'
import type { ClientMessage, ServerMessage, Subscribe } from '../../src/api/contract/live.ts'
import { webRoutes } from '../../src/api/web.ts'
import { widthMs } from '../../src/web/chart/instant.ts'
import * as data from './fake-data.ts'

/**
 * An api of made-up answers, for what a page shows in every state. That the dashboard works on the
 * real one is tested in `dashboard.test.ts`.
 */
export interface FakeApi {
  readonly url: string
  /** Answers of these paths from now on: a status that is no success, or nothing for ever. */
  readonly broken: Map<string, number | 'hangs'>
  /** How many meters there are. */
  meters: number
  /** How far the windows of the store are behind the feed, ms. */
  behindMs: number
  say(message: Exclude<ServerMessage, { type: 'hello' }>): void
  /** The id of the newest subscription to a topic. */
  lastId(topic: string): string
  close(): Promise<void>
}

type Query = Partial<Record<string, string>>
const FITTING = ['1m', '15m', '1h', '6h', '1d', '7d']

export async function startFakeApi(
  options: { meters?: number; port?: number } = {},
): Promise<FakeApi> {
  const app = fastify({ forceCloseConnections: true })
  await app.register(websocket)
  const sockets = new Map<WebSocket, Map<string, Subscribe>>()
  const fake = {
    broken: new Map<string, number | 'hangs'>(),
    meters: options.meters ?? 200,
    behindMs: 0,
  }
  app.addHook('onRequest', (request, reply, done) => {
    const [path = ''] = request.url.split('?')
    const state = fake.broken.get(path)
    if (state === 'hangs') return
    if (state === undefined) {
      done()
      return
    }
    void reply
      .code(state)
      .type('application/problem+json')
      .send({
        ...{ type: 'about:blank', title: 'The store is away', status: state, code: 'api.away' },
        detail: 'QuestDB did not answer within 10 s.',
        remedy: 'See whether it runs: npm run -s meterloom -- status',
      })
  })
  restRoutes(app, fake)
  app.get('/api/live', { websocket: true }, (socket) => {
    serveLive(socket, sockets)
  })
  await app.register(webRoutes)
  const timer = setInterval(() => tick(sockets, fake.meters), 1_000)
  const url = await app.listen({ port: options.port ?? 0, host: '127.0.0.1' })
  return Object.assign(fake, {
    url,
    say: (message: ServerMessage) => {
      for (const socket of sockets.keys()) socket.send(JSON.stringify(message))
    },
    lastId: (topic: string) =>
      [...sockets.values()]
        .flatMap((subscriptions) => [...subscriptions.values()])
        .findLast((one) => one.topic === topic)!.id,
    close: () => {
      clearInterval(timer)
      return app.close()
    },
  })
}

function rangeOf({ from, to }: Query) {
  const nowMs = Date.now()
  const end = to === undefined ? nowMs : Date.parse(to)
  return { from: from === undefined ? end - 86_400_000 : Date.parse(from), to: end, nowMs }
}

function paged<T>(items: readonly T[], { limit = '100', cursor = '0', order }: Query) {
  const ordered = order === 'desc' ? items.toReversed() : items
  const end = Number(cursor) + Number(limit)
  const next = end < ordered.length ? String(end) : null
  return { items: ordered.slice(Number(cursor), end), next }
}

function restRoutes(app: FastifyInstance, fake: { meters: number; behindMs: number }): void {
  const get = (path: string, answer: (query: Query) => unknown) => {
    app.get(path, (request: FastifyRequest) => answer(request.query as Query))
  }
  const ids = () => data.meterIds(fake.meters)
  get('/api/meters', (query) => {
    const found = ids()
      .map((id) => data.meterItem(id, Date.now()))
      .filter(({ meterId }) => (query['meterId'] ?? meterId) === meterId)
      .filter(({ meterId, place }) => `${meterId} ${place}`.includes(query['search'] ?? ''))
      .filter(({ place }) => (query['place'] ?? place) === place)
      .filter(({ silent }) => (query['silent'] ?? String(silent)) === String(silent))
    return paged(found, query)
  })
  get('/api/readings', (query) =>
    paged(data.readings(query['meterId']!, query['channel']!, rangeOf(query)), query),
  )
  get('/api/windows', (query) => {
    const asked = rangeOf(query)
    const range = { ...asked, nowMs: asked.nowMs - fake.behindMs }
    const fits = (width: string) =>
      (range.to - range.from) / widthMs(width) <= Number(query['points'])
    const width = query['width'] ?? FITTING.find(fits) ?? '7d'
    const items = data.windows(query['meterId']!, query['channel']!, { ...range, width })
    return query['points'] === undefined ? paged(items, query) : { items, next: null, width }
  })
  get('/api/baselines', (query) => {
    const items = data.baselines(query['meterId']!, query['channel']!, {
      ...rangeOf(query),
      width: '15m',
    })
    return query['points'] === undefined ? paged(items, query) : { items, next: null, width: '15m' }
  })
  get('/api/anomalies', (query) => {
    const range = rangeOf(query)
    const from = Math.max(range.from, range.nowMs - 3 * 86_400_000)
    const of = query['meterId'] === undefined ? ids() : [query['meterId']]
    const state = query['state'] ?? 'active'
    const items = of
      .flatMap((id) => data.anomalies(id, { ...range, from }))
      .filter((item) => state === 'any' || item.state === state)
      .filter(({ kind }) => (query['kind'] ?? kind) === kind)
      .filter(({ severity }) => (query['severity'] ?? severity) === severity)
      .sort((a, b) => (a.start < b.start ? -1 : 1))
    return paged(items, query)
  })
  get('/api/overview', () => overview(fake.meters))
  get('/api/pipeline', () => pipeline(fake.meters))
}

function overview(count: number) {
  const items = data.meterIds(count).map((id) => data.meterItem(id, Date.now()))
  const neverSeen = items.filter(({ lastAt }) => lastAt === null).length
  const silent = items.filter(({ silent }) => silent).length
  const reporting = count - neverSeen - silent
  return {
    ...{ tenant: 'demo', at: new Date().toISOString(), lagSeconds: 0.4 },
    meters: { known: count, reporting, silent, neverSeen },
    readingsPerSecond: (reporting * 1_000) / data.INTERVAL_MS,
    anomaliesLastHour:
      count === 0
        ? []
        : [
            { kind: 'consecutive_anomalies', count: 2 },
            { kind: 'energy_spike', count: 9 },
          ],
  }
}

const STARTED_MS = Date.now() - 3_600_000

function pipeline(count: number) {
  const seconds = (Date.now() - STARTED_MS) / 1_000
  const total = Math.floor((count / 5) * seconds + 10 * Math.sin(seconds / 9))
  const stage = (name: string, unit: string, factor: number, lag: number | null) => ({
    ...{ stage: name, ready: true, reasons: [] as string[], total: total * factor, unit },
    ...{ lagRecords: lag, lagSeconds: lag === null ? null : lag / 100 },
  })
  return {
    at: new Date().toISOString(),
    stages: [
      stage('bridge', 'readings', 1, null),
      stage('processor', 'records', 1, 40),
      stage('questdb', 'rows', 3, 12),
      stage('live', 'items', 2, 0),
    ],
    deadLetters:
      count === 0
        ? []
        : [
            { reason: 'payload.notJson', total: 12 },
            { reason: 'reading.inFuture', total: 3 },
          ],
  }
}

function serveLive(socket: WebSocket, sockets: Map<WebSocket, Map<string, Subscribe>>): void {
  const send = (message: ServerMessage) => socket.send(JSON.stringify(message))
  const subscriptions = new Map<string, Subscribe>()
  sockets.set(socket, subscriptions)
  socket.on('close', () => sockets.delete(socket))
  send({ type: 'hello', tenant: 'demo', pingSeconds: 20 })
  socket.on('message', (text: Buffer) => {
    const message = JSON.parse(text.toString('utf8')) as ClientMessage
    if (message.type === 'ping') {
      send({ type: 'pong' })
      return
    }
    const { id } = message
    if (message.type === 'unsubscribe') {
      subscriptions.delete(id)
      send({ type: 'unsubscribed', id })
      return
    }
    subscriptions.set(id, message)
    send({ type: 'subscribed', id, resumed: message.token !== undefined, token: 't' })
  })
}

/** Each second a fifth of the fleet speaks. */
function tick(sockets: Map<WebSocket, Map<string, Subscribe>>, meters: number): void {
  const second = Math.floor(Date.now() / 1_000)
  const at = second * 1_000
  for (const [socket, subscriptions] of sockets) {
    for (const { id, topic, meters: wanted, channels } of subscriptions.values()) {
      if (topic !== 'readings') continue
      const items = (wanted ?? data.meterIds(meters))
        .filter((meterId) => meterId.length > 0 && (second + Number(meterId.slice(-4))) % 5 === 0)
        .filter((meterId) => !data.meterItem(meterId, at).silent)
        .flatMap((meterId) =>
          data
            .meterItem(meterId, at)
            .latest.filter(({ channel }) => channels?.includes(channel) ?? true)
            .map(({ channel }) =>
              data.readingAt(
                meterId,
                channel,
                Math.floor(at / data.INTERVAL_MS) * data.INTERVAL_MS,
              ),
            ),
        )
      if (items.length > 0) socket.send(JSON.stringify({ type: 'readings', id, items }))
    }
  }
}
