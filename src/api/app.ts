import { type FastifyInstance, fastify } from 'fastify'
import { type OpsOptions, opsRoutes } from '../ops/ops-routes.ts'
import { schemaRoutes } from '../schemas/registry-view.ts'

/** The api's routes on an app that does not listen yet. */
export async function makeApp(ops: OpsOptions): Promise<FastifyInstance> {
  const app = fastify({ forceCloseConnections: true })
  await app.register(opsRoutes, ops)
  await app.register(schemaRoutes)
  return app
}
