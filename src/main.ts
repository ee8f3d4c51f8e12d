import { withAddresses } from './kernel/addresses.ts'
import { readConfig } from './kernel/config.ts'
import { messageOf } from './kernel/errors.ts'
import { opsErrors } from './ops/errors.ts'
import { makeLogger } from './ops/logger.ts'
import type { RoleName, StartRole } from './ops/role.ts'
import { runRole } from './ops/run-role.ts'

// `node src/main.ts ROLE` is one process of the product. What it needs stands in its environment.

/** A role loads its own code alone. */
const ROLES: Readonly<Record<RoleName, () => Promise<StartRole>>> = {
  bridge: async () => (await import('./roles/bridge.ts')).startBridge,
  processor: async () => (await import('./roles/processor.ts')).startProcessor,
  api: async () => (await import('./roles/api.ts')).startApi,
  worker: async () => (await import('./roles/worker.ts')).startWorker,
}

function isRole(name: string): name is RoleName {
  return Object.hasOwn(ROLES, name)
}

/**
 * Aborts on a signal, and when the supervisor that started us is gone: nobody would end us then.
 */
function stopSignal(): AbortSignal {
  const controller = new AbortController()
  const stop = () => controller.abort()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  process.on('disconnect', stop)
  process.channel?.unref()
  return controller.signal
}

async function main(): Promise<number> {
  const stopping = stopSignal()
  const role = process.argv[2] ?? ''
  if (!isRole(role)) throw opsErrors.unknownRole({ role, roles: Object.keys(ROLES) })
  const config = withAddresses(readConfig(process.env))
  const logger = makeLogger(role, config.logLevel)
  // Loading what a role is made of may fail too, and is reported like the rest.
  const start: StartRole = async (context) => (await ROLES[role]())(context)
  return runRole({ role, config, logger, start, stopping })
}

try {
  process.exit(await main())
} catch (error) {
  process.stderr.write(`meterloom: ${messageOf(error)}\n`)
  process.exit(2)
}
