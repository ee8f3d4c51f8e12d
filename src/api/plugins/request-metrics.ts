import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Counter, Histogram, type Registry } from 'prom-client'

/** As nginx calls what nobody waits for any more. */
export const CLIENT_GONE = 499

/** Counts and times every request by its route's pattern; a path that is none is `(none)`. */
export function requestMetrics(app: FastifyInstance, registry: Registry): void {
  const registers = [registry]
  const requests = new Counter({
    name: 'meterloom_api_requests_total',
    help: 'Requests answered, by route, method and status',
    labelNames: ['route', 'method', 'status'] as const,
    registers,
  })
  const seconds = new Histogram({
    name: 'meterloom_api_request_seconds',
    help: 'Time from a request to the end of its answer, by route',
    labelNames: ['route'] as const,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  })
  // All there from the start: a counter that begins at 5 looks to Prometheus as if it stood.
  app.addHook('onRoute', ({ url, method, schema }) => {
    if (method !== 'GET' || schema?.hide === true) return
    requests.inc({ route: url, method, status: 200 }, 0)
    seconds.zero({ route: url })
  })
  const routeOf = (request: FastifyRequest) =>
    request.is404 ? '(none)' : (request.routeOptions.url ?? '(none)')
  app.addHook('onRequestAbort', async (request) => {
    requests.inc({ route: routeOf(request), method: request.method, status: CLIENT_GONE })
    return Promise.resolve()
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = routeOf(request)
    requests.inc({ route, method: request.method, status: reply.statusCode })
    seconds.observe({ route }, reply.elapsedTime / 1_000)
    return Promise.resolve()
  })
}
