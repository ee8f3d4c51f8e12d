import { type FastifyInstance, fastify } from 'fastify'
import { type OpsOptions, opsRoutes } from '../ops/ops-routes.ts'
import type { LiveFeed } from './live/index.ts'
import { schemaRoutes } from '../schemas/registry-view.ts'
import { webRoutes } from './web.ts'

export interface AppOptions extends OpsOptions {
  /** The live feed; without it there is no `/api/live`. */
  readonly live?: LiveFeed
  /** The setting TOPIC_PREFIX: subjects are named after topics. */
  readonly topicPrefix?: string
}

/** The api's routes on an app that does not listen yet. */
export async function makeApp(options: AppOptions): Promise<FastifyInstance> {
  const { live, topicPrefix = '', ...ops } = options
  const app = fastify({ forceCloseConnections: true })
  await app.register(opsRoutes, ops)
  await app.register(schemaRoutes, { topicPrefix })
  await live?.register(app, () => 'demo')
  await app.register(webRoutes)
  return app
}
