import { existsSync } from 'node:fs'
import { join } from 'node:path'
import statics from '@fastify/static'
import type { FastifyInstance, FastifyReply } from 'fastify'
import fp from 'fastify-plugin'

/** Where set-up builds the dashboard. */
export const WEB_FOLDER = join(import.meta.dirname, '../../build/web')

const YEAR_MS = 365 * 86_400_000

/** Everything comes from this server: no other host, no script or style inside the page. */
const SECURITY_HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

/** Addresses below these are the api's: what is not there is a 404 of its own, not a page. */
const NOT_PAGES = /^\/(api|schemas|assets|health|ready|metrics)(\/|$)/

/**
 * The dashboard at `/`. Its assets are named after what they hold and may be kept for ever; its
 * page is asked for anew each time, and stands for every address that a person may open, such as
 * `/meters/sim-0001`.
 */
export const webRoutes = fp(
  async (app: FastifyInstance, { folder = WEB_FOLDER }: { folder?: string }) => {
    await app.register(statics, { root: folder, serve: false, cacheControl: false })
    app.get('/assets/:name', { schema: { hide: true } }, (request, reply) => {
      const { name } = request.params as { name: string }
      const cached = `public, max-age=${YEAR_MS / 1_000}, immutable`
      return secured(reply, cached).sendFile(`assets/${name}`)
    })
    for (const name of ['favicon.svg', 'theme.js']) {
      app.get(`/${name}`, { schema: { hide: true } }, (_request, reply) =>
        secured(reply, 'no-cache').sendFile(name),
      )
    }
    app.get('/*', { schema: { hide: true } }, (request, reply) => {
      const [path = '/'] = request.url.split('?')
      if (NOT_PAGES.test(path)) {
        reply.callNotFound()
        return reply
      }
      if (existsSync(join(folder, 'index.html'))) {
        return secured(reply, 'no-cache').sendFile('index.html')
      }
      return reply
        .code(503)
        .type('text/plain; charset=utf-8')
        .send("The dashboard is not built: run 'node infra/run.js setup', then load this again.\n")
    })
  },
  { name: 'web' },
)

function secured(reply: FastifyReply, cacheControl: string): FastifyReply {
  return reply.headers({ ...SECURITY_HEADERS, 'cache-control': cacheControl })
}
