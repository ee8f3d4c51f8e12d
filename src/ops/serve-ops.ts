import { fastify } from 'fastify'
import type { Config } from '../kernel/config.ts'
import { LIMITS } from '../kernel/limits.ts'
import { listenError } from './listen.ts'
import { type OpsOptions, opsRoutes } from './ops-routes.ts'
import type { RoleName } from './role.ts'

/** The setting of each role's ops port, and its value. The api serves them on its own port. */
export function opsPortOf(role: RoleName, config: Config): { port: number; setting: string } {
  switch (role) {
    case 'bridge':
      return { port: config.bridgeOpsPort, setting: 'BRIDGE_OPS_PORT' }
    case 'processor':
      return { port: config.processorOpsPort, setting: 'PROCESSOR_OPS_PORT' }
    case 'worker':
      return { port: config.workerOpsPort, setting: 'WORKER_OPS_PORT' }
    case 'api':
      return { port: config.apiPort, setting: 'API_PORT' }
  }
}

/** The ops port of one of several processors on a machine. */
export function processorPort(
  { processorOpsPort }: Pick<Config, 'processorOpsPort'>,
  index: number,
): number {
  return processorOpsPort + index * LIMITS.processorPortStep
}

/** Serves /health, /ready and /metrics on the role's ops port. @throws ops.portTaken */
export async function serveOps(
  options: OpsOptions,
  config: Config,
): Promise<{ close(): Promise<void> }> {
  const app = fastify({ forceCloseConnections: true })
  await app.register(opsRoutes, options)
  const place = {
    role: options.role,
    host: config.opsBindAddress,
    ...opsPortOf(options.role, config),
  }
  try {
    await app.listen({ host: place.host, port: place.port })
  } catch (error) {
    await app.close()
    throw listenError(place, error)
  }
  return { close: () => app.close() }
}
