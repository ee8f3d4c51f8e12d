import { randomUUID } from 'node:crypto'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { type FastifyInstance, fastify } from 'fastify'
import type { Logger } from 'pino'
import { type Clock, systemClock } from '../kernel/time.ts'
import { type OpsOptions, opsRoutes } from '../ops/ops-routes.ts'
import type { Registry } from '../registry/registry.ts'
import type { FleetView } from './fleet-view.ts'
import type { LiveFeed } from './live/index.ts'
import { schemaRoutes } from '../schemas/registry-view.ts'
import { pipelineRoutes } from './pipeline/index.ts'
import { Peers } from './pipeline/peers.ts'
import { docsPages, openApi } from './plugins/docs.ts'
import { everyoneIs, principals, tenantOf } from './plugins/principal.ts'
import { badRequest, problems } from './plugins/problems.ts'
import { requestMetrics } from './plugins/request-metrics.ts'
import type { Peer } from './ready-of-all.ts'
import { anomalyRoutes } from './timeseries/anomalies.ts'
import { baselineRoutes } from './timeseries/baselines.ts'
import { FleetFacts } from './timeseries/fleet-facts.ts'
import { QueryGate } from './timeseries/gate.ts'
import { meterRoutes } from './timeseries/meters.ts'
import { readingRoutes } from './timeseries/readings.ts'
import { windowRoutes } from './timeseries/windows.ts'
import { webRoutes } from './web.ts'

export interface AppOptions extends OpsOptions {
  readonly logger: Logger
  /** QuestDB's HTTP, user and password included, and what is put before its tables' names. */
  readonly questdbUrl: string
  readonly tablePrefix: string
  readonly registry: Registry
  readonly fleet: FleetView
  /** The other roles, to be asked for /ready and /metrics. */
  readonly peers: readonly Peer[]
  /** Whose data is shown, until people sign in. */
  readonly tenant: string
  /** The live feed; without it there is no `/api/live`. */
  readonly live?: LiveFeed
  /** The setting TOPIC_PREFIX: subjects are named after topics. */
  readonly topicPrefix?: string
  /** Says what is now; the machine's by default. */
  readonly clock?: Clock
}

/** The api's routes on an app that does not listen yet. */
export async function makeApp(options: AppOptions): Promise<FastifyInstance> {
  const { live, topicPrefix = '', logger, metrics, tenant } = options
  const app = fastify({
    forceCloseConnections: true,
    genReqId: () => randomUUID(),
    frameworkErrors: (error, request, reply) => void badRequest(error, request, reply),
    // What is not asked for is told to who asks, not left out; `verbose` tells what was wanted.
    ajv: { customOptions: { removeAdditional: false, useDefaults: false, verbose: true } },
  }).withTypeProvider<TypeBoxTypeProvider>()
  problems(app, logger)
  requestMetrics(app, metrics)
  principals(app, everyoneIs(tenant))
  await openApi(app)
  await app.register(opsRoutes, options)
  await app.register(schemaRoutes, { topicPrefix })
  await live?.register(app, tenantOf)
  await app.register((scope) => apiRoutes(scope, options), { prefix: '/api' })
  await app.register(webRoutes)
  return app
}

async function apiRoutes(scope: FastifyInstance, options: AppOptions): Promise<void> {
  const { questdbUrl, tablePrefix, registry, clock = systemClock } = options
  const { fleet, live, metrics, scrapeToken } = options
  const store = { gate: new QueryGate(questdbUrl), tablePrefix, clock }
  const facts = new FleetFacts(store, registry, fleet)
  // Items are made of their schemas' types: to check them again would cost more than the query.
  scope.setSerializerCompiler(() => (data) => JSON.stringify(data))
  scope.addHook('onSend', async (_request, reply, payload) => {
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store')
    reply.header('vary', 'accept').header('x-content-type-options', 'nosniff')
    return Promise.resolve(payload)
  })
  await docsPages(scope)
  await scope.register(meterRoutes, { facts })
  await scope.register(readingRoutes, { store })
  await scope.register(windowRoutes, { store })
  await scope.register(baselineRoutes, { store, registry })
  await scope.register(anomalyRoutes, { store })
  const peers = new Peers(options.peers, scrapeToken)
  const liveProblem = () => (live === undefined ? 'this api has no live feed' : live.problem)
  await scope.register(pipelineRoutes, { store, facts, peers, metrics, liveProblem })
}
