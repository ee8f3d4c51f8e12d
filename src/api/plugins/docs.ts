import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { type TSchema, Type } from 'typebox'
import { Problem } from '../contract/answers.ts'

const DESCRIPTION =
  'Readings, windows, baselines and anomalies of the fleet, and how its pipeline does. ' +
  'Lists come in pages and as CSV; every error below /api is application/problem+json.'

/** Must come before the routes that it is to tell of. */
export async function openApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Meterloom', version: '1.0.0', description: DESCRIPTION },
      tags: [
        { name: 'meters', description: 'The fleet, meter by meter' },
        { name: 'timeseries', description: 'What QuestDB holds, by time' },
        { name: 'pipeline', description: 'The fleet and the pipeline at a glance' },
        { name: 'ops', description: 'For supervisors and Prometheus' },
        { name: 'schemas', description: 'Avro schemas, as Kafka tools ask for them' },
      ],
    },
    convertConstToEnum: false,
  })
}

/** Everything comes from this server; Swagger UI styles its elements one by one. */
const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** The pages at `/api/docs`, the document at `/api/docs/json`; for a scope below `/api`. */
export async function docsPages(scope: FastifyInstance): Promise<void> {
  await scope.register(swaggerUi, {
    routePrefix: '/docs',
    // The page names its scripts and styles by whole paths, and does not know of the scope.
    indexPrefix: scope.prefix,
    theme: { title: 'Meterloom api' },
    uiConfig: { docExpansion: 'list', deepLinking: true, layout: 'BaseLayout' },
    staticCSP: CSP,
  })
}

const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: Problem } },
})

/** What any route that asks other servers may answer instead. */
export const PROBLEMS = {
  400: problem('The query is refused; field, value and remedy say why'),
  500: problem('Something went wrong here'),
  503: problem('Too much is asked for, or a server that is needed is away: try again later'),
} as const

/** An answer that is told as JSON or, where that is asked for, as CSV. */
export const jsonOrCsv = <T extends TSchema>(json: T) => ({
  description: 'The items',
  content: {
    'application/json': { schema: json },
    'text/csv': { schema: Type.String({ description: 'A head line, then a line an item' }) },
  },
})
