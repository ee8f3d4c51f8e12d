import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import type { Registry } from 'prom-client'
// Its types let a route's schema have tags and a summary.
import type {} from '@fastify/swagger'
import type { Readiness, RoleName } from './role.ts'

/**
 * What every role serves.
 *
 * - /health: 200 while the process answers at all. For whoever restarts it.
 * - /ready: 200 while it does its work, else 503 with the reasons. For whoever sends it work.
 * - /metrics: Prometheus's text form, see docs/metrics.md.
 */
export interface OpsOptions {
  readonly role: RoleName
  readonly metrics: Registry
  /** Bearer token that /metrics asks for; undefined: open. */
  readonly scrapeToken: string | undefined
  readiness(): Readiness | Promise<Readiness>
}

// Digests are equally long whatever was sent, so that comparing them tells nothing of the token.
const digest = (text: string) => createHash('sha256').update(text).digest()

function mayScrape(request: FastifyRequest, token: string | undefined): boolean {
  if (token === undefined) return true
  const { authorization = '' } = request.headers
  return timingSafeEqual(digest(authorization), digest(`Bearer ${token}`))
}

export const opsRoutes: FastifyPluginAsync<OpsOptions> = (app, options) => {
  const { role, metrics, scrapeToken } = options

  const told = (summary: string) => ({ schema: { summary, tags: ['ops'] } })

  app.get('/health', told('Whether the process answers'), () => ({
    role,
    pid: process.pid,
    uptimeSeconds: process.uptime(),
  }))

  app.get('/ready', told('Whether it does its work, else why not'), async (_request, reply) => {
    const { ready, reasons } = await options.readiness()
    return reply.code(ready ? 200 : 503).send({ role, ready, reasons })
  })

  app.get('/metrics', told('Metrics for Prometheus'), async (request, reply) => {
    if (!mayScrape(request, scrapeToken)) {
      const error = 'set the header Authorization to Bearer and the SCRAPE_TOKEN'
      return reply.code(401).header('www-authenticate', 'Bearer').send({ error })
    }
    return reply.type(metrics.contentType).send(await metrics.metrics())
  })

  return Promise.resolve()
}
