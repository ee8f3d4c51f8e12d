import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Registry as Metrics } from 'prom-client'
import { Type } from 'typebox'
import { messageOf } from '../../kernel/errors.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { formatMicros, hours } from '../../kernel/time.ts'
import { Overview, Pipeline } from '../contract/overview.ts'
import { PROBLEMS } from '../plugins/docs.ts'
import { tenantOf } from '../plugins/principal.ts'
import type { FleetFacts } from '../timeseries/fleet-facts.ts'
import type { Store } from '../timeseries/rows.ts'
import { conditions, named } from '../timeseries/select.ts'
import { Shared } from '../timeseries/shared.ts'
import { pipelineOf, processorLag } from './health.ts'
import type { Peers } from './peers.ts'
import { Samples } from './samples.ts'

const NO_PARAMETERS = Type.Object({}, { additionalProperties: false })

export interface PipelineOptions {
  readonly store: Store
  readonly facts: FleetFacts
  readonly peers: Peers
  readonly metrics: Metrics
  /** Why the live feed does not do its work; undefined where it does. */
  readonly liveProblem: () => string | undefined
}

/** The fleet and the pipeline at a glance; each answer is shared by all who ask within a second. */
export const pipelineRoutes: FastifyPluginAsyncTypebox<PipelineOptions> = (scope, options) => {
  const { facts } = options
  const { clock } = options.store
  const reports = new Shared(clock, LIMITS.apiSharedMs, () => options.peers.report())
  const overviews = new Shared(clock, LIMITS.apiSharedMs, async (tenant) => ({
    tenant,
    at: formatMicros(clock.nowMicros()),
    meters: await countMeters(facts, tenant),
    readingsPerSecond: facts.fleet.readingsPerSecond(tenant),
    lagSeconds: processorLag(await reports.of()),
    anomaliesLastHour: await countAnomalies(options.store, tenant),
  }))
  const pipelines = new Shared(clock, LIMITS.apiSharedMs, async () => {
    const [peers, storeProblem, text] = await Promise.all([
      reports.of(),
      problemOfStore(options.store),
      options.metrics.metrics(),
    ])
    const liveProblem = options.liveProblem()
    const own = { samples: new Samples(text), liveProblem, storeProblem }
    return { at: formatMicros(clock.nowMicros()), ...pipelineOf(peers, own) }
  })

  scope.get(
    '/overview',
    {
      schema: {
        summary: 'How many meters report or are silent, rates, lag, anomalies of the last hour',
        tags: ['pipeline'],
        querystring: NO_PARAMETERS,
        response: { 200: Overview, ...PROBLEMS },
      },
    },
    (request) => {
      facts.checkReady()
      return overviews.of(tenantOf(request))
    },
  )
  scope.get(
    '/pipeline',
    {
      schema: {
        summary: 'Each stage of the pipeline: whether it is ready, what it has done, its lag',
        tags: ['pipeline'],
        querystring: NO_PARAMETERS,
        response: { 200: Pipeline, ...PROBLEMS },
      },
    },
    () => pipelines.of(),
  )
  return Promise.resolve()
}

async function countMeters(facts: FleetFacts, tenant: string): Promise<Overview['meters']> {
  const learned = await facts.learnedIntervals(tenant)
  const counts = { known: 0, reporting: 0, silent: 0, neverSeen: 0 }
  for (const id of facts.ids(tenant)) {
    counts.known += 1
    if (facts.fleet.meter(tenant, id) === undefined) counts.neverSeen += 1
    else if (facts.isSilent(tenant, id, learned)) counts.silent += 1
    else counts.reporting += 1
  }
  return counts
}

async function countAnomalies(store: Store, tenant: string) {
  const to = store.clock.nowMicros()
  const filters = [['state', 'active'] as const]
  const met = conditions({ tenant, range: { from: to - hours(1), to }, filters })
  const table = named(`${store.tablePrefix}anomalies`)
  const rows = await store.gate.rows(
    `SELECT kind, count() FROM ${table} WHERE ${met} ORDER BY kind`,
    new AbortController().signal,
  )
  return rows.map(([kind, count]) => ({ kind: String(kind), count: Number(count) }))
}

async function problemOfStore({ gate }: Store): Promise<string | undefined> {
  try {
    await gate.rows('SELECT 1', AbortSignal.timeout(LIMITS.probeTimeoutMs))
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}
