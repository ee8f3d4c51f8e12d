import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import websocket from '@fastify/websocket'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Logger } from 'pino'
import type { Registry as Metrics } from 'prom-client'
import { messageOf } from '../../kernel/errors.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { Log } from '../../log/log.ts'
import { topicNames } from '../../log/topics.ts'
import type { Registry } from '../../registry/registry.ts'
import { type Codecs } from '../../schemas/codecs.ts'
import { questdbSql } from '../../sinks/questdb-http.ts'
import { CLOSE_CODES } from '../contract/live.ts'
import type { FleetView } from '../fleet-view.ts'
import { asyncApi } from './asyncapi.ts'
import { Connection } from './connection.ts'
import { EveryFeeds } from './every-feeds.ts'
import { LiveFleet } from './fleet.ts'
import { Hub } from './hub.ts'
import { LiveMetrics } from './live-metrics.ts'
import { Replayer } from './replay.ts'
import { Session, type SessionOptions } from './session.ts'
import { Tokens } from './token.ts'

export interface LiveOptions {
  readonly log: Log
  readonly codecs: Codecs
  readonly registry: Registry
  readonly metrics: Metrics
  readonly logger: Logger
  readonly topicPrefix: string
  readonly tablePrefix: string
  readonly questdbUrl: string
  readonly epoch: number
  /** Shared by the api processes whose tokens are to hold at each other; random where not set. */
  readonly secret: string | undefined
}

/**
 * The live feed of one api process: it follows the log from its end, keeps what it knows of the
 * fleet, and serves any number of clients.
 */
export class LiveFeed {
  readonly fleet: FleetView
  private readonly options: LiveOptions
  private readonly liveFleet = new LiveFleet()
  private readonly tokens: Tokens
  private readonly metrics: LiveMetrics
  private readonly sessions = new Map<Connection, Session>()
  private readonly timers: NodeJS.Timeout[] = []
  /** What sessions stand on while a hub lives. */
  private current: SessionOptions | undefined
  private readonly stopping = new AbortController()
  private readonly done: Promise<void>[] = []
  /** Why it is not ready; undefined where it is. */
  problem: string | undefined = 'the live feed has not begun'

  constructor(options: LiveOptions) {
    this.options = options
    this.fleet = this.liveFleet
    this.tokens = new Tokens(options.secret ?? randomBytes(32).toString('hex'))
    this.metrics = new LiveMetrics(
      options.metrics,
      () => this.sessions.size,
      () => this.sessions.values().reduce((sum, { subscriptions }) => sum + subscriptions, 0),
    )
  }

  /** Begins, and goes on trying where Kafka or QuestDB are away. */
  start(): void {
    this.done.push(this.follow(), this.seed())
    const every = (ms: number, work: (nowMs: number) => void) =>
      this.timers.push(setInterval(() => work(performance.now()), ms))
    every(1_000, (nowMs) => this.sessions.keys().forEach((one) => one.check(nowMs)))
    every(LIMITS.livePingEveryMs, () => this.sessions.keys().forEach((one) => one.ping()))
  }

  private async follow(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      try {
        await this.followOnce()
      } catch (error) {
        this.trouble(error)
        await this.pause()
      }
    }
  }

  /** One hub's life: it ends where the log moved away from under it. */
  private async followOnce(): Promise<void> {
    const { log, codecs, topicPrefix, epoch, registry } = this.options
    const { tokens, metrics, liveFleet: fleet } = this
    const topics = topicNames(topicPrefix)
    const over = new AbortController()
    const hub = new Hub({
      ...{ log, topics, codecs, epoch, fleet, tokens, metrics },
      onTrouble: (error) => this.trouble(error),
      onMoved: () => {
        this.problem = undefined
      },
      onFailed: (error) => {
        this.trouble(error)
        over.abort()
      },
    })
    const signal = AbortSignal.any([over.signal, this.stopping.signal])
    try {
      await hub.start()
      const replayer = new Replayer(log, topics, codecs)
      const feeds = new EveryFeeds(hub)
      this.current = { hub, feeds, replayer, registry, fleet, tokens, metrics, epoch }
      this.problem = undefined
      while (!signal.aborted) {
        hub.flush()
        this.sessions.keys().forEach((one) => one.release())
        await sleep(LIMITS.liveFlushMs, undefined, { signal }).catch(() => undefined)
      }
    } finally {
      this.current = undefined
      this.problem ??= 'the live feed begins anew'
      for (const connection of this.sessions.keys()) {
        connection.close(1012, 'the feed begins anew: connect again and resume')
      }
      await hub.close()
    }
  }

  /** What the fleet's meters said last, of those who have not spoken since the log was opened. */
  private async seed(): Promise<void> {
    const { questdbUrl, tablePrefix, logger } = this.options
    const sql = questdbSql(questdbUrl)
    while (!this.stopping.signal.aborted) {
      try {
        await this.liveFleet.seed(sql, `${tablePrefix}readings`, this.stopping.signal)
        return
      } catch (error) {
        logger.warn(`the fleet's last readings cannot be asked for yet: ${messageOf(error)}`)
        await this.pause()
      }
    }
  }

  private pause(): Promise<void> {
    const { signal } = this.stopping
    return sleep(LIMITS.liveSeedRetryMs, undefined, { signal }).catch(() => undefined)
  }

  private trouble(error: unknown): void {
    this.problem = `the live feed: ${messageOf(error)}`
    this.metrics.trouble.inc()
    this.options.logger.warn(this.problem)
  }

  /** The routes: the WebSocket and what describes it. */
  async register(
    app: FastifyInstance,
    tenantOf: (request: FastifyRequest) => string,
  ): Promise<void> {
    await app.register(websocket, {
      options: { maxPayload: LIMITS.liveMessageBytesMax, perMessageDeflate: false },
    })
    app.get('/api/live/asyncapi.json', { schema: { hide: true } }, () => asyncApi())
    await app.register(
      fp((scope) => {
        scope.get(
          '/api/live',
          { websocket: true, schema: { hide: true }, preValidation: refuseForeign },
          (ws, request) => this.serve(ws, request, tenantOf(request)),
        )
        return Promise.resolve()
      }),
    )
  }

  private serve(
    ws: ConstructorParameters<typeof Connection>[0],
    request: FastifyRequest,
    tenant: string,
  ): void {
    const connection = new Connection(ws, request.raw.socket, performance.now())
    if (this.sessions.size >= LIMITS.liveConnectionsMax) {
      connection.close(CLOSE_CODES.tooMany, 'too many connections: try another api')
      return
    }
    const session = this.open(connection, tenant)
    if (session === undefined) return
    let second = 0
    let messages = 0
    ws.on('message', (data: Buffer) => {
      const now = Math.floor(performance.now() / 1_000)
      messages = now === second ? messages + 1 : 1
      second = now
      if (messages > LIMITS.liveMessagesPerSecondMax) {
        connection.close(CLOSE_CODES.tooMany, 'too many messages a second')
        return
      }
      session.message(data.toString('utf8')).catch((error: unknown) => {
        this.options.logger.error({ err: error }, 'a message of a client could not be served')
        connection.close(1011, 'something went wrong here: connect again and resume')
      })
    })
  }

  private open(connection: Connection, tenant: string): Session | undefined {
    const { current } = this
    if (current === undefined) {
      connection.close(1013, 'the feed has not begun: try again')
      return undefined
    }
    const session = new Session(tenant, connection, current)
    this.sessions.set(connection, session)
    connection.onClosed = () => {
      this.sessions.delete(connection)
      session.close()
      if (connection.closedAs === CLOSE_CODES.slowReader) this.metrics.slowReaders.inc()
    }
    return session
  }

  async stop(): Promise<void> {
    this.stopping.abort()
    for (const timer of this.timers) clearInterval(timer)
    for (const connection of this.sessions.keys()) connection.close(1001, 'this api stops')
    await Promise.all(this.done)
  }
}

/** A page of another site must not read the feed with the credentials of who looks at it. */
async function refuseForeign(request: FastifyRequest): Promise<void> {
  const { origin, host } = request.headers
  if (origin === undefined || !URL.canParse(origin) || new URL(origin).host === host) return
  await Promise.reject(
    Object.assign(new Error(`origin ${origin} is not ${host}`), { statusCode: 403 }),
  )
}
