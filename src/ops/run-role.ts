import type { Logger } from 'pino'
import { messageOf } from '../kernel/errors.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { Config } from '../kernel/config.ts'
import { makeMetrics } from './metrics.ts'
import type { Readiness, RoleContext, RoleName, RunningRole, StartRole } from './role.ts'
import { serveOps } from './serve-ops.ts'

export interface RunRoleOptions {
  readonly role: RoleName
  readonly config: Config
  readonly logger: Logger
  readonly start: StartRole
  /** Aborts when the process is to stop. */
  readonly stopping: AbortSignal
}

const STARTING: Readiness = { ready: false, reasons: ['it is starting'] }
const STOPPING: Readiness = { ready: false, reasons: ['it is stopping'] }

/** Resolves with `fallback` where the promise takes longer. */
async function within<T>(promise: Promise<T>, limitMs: number, fallback: T): Promise<T> {
  const limit = Promise.withResolvers<T>()
  const timer = setTimeout(() => limit.resolve(fallback), limitMs)
  try {
    return await Promise.race([promise, limit.promise])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Runs a role until it is to stop, or fails.
 *
 * @returns The process's exit code: 0 where it was stopped in order.
 */
export async function runRole(options: RunRoleOptions): Promise<number> {
  const { role, config, logger, start, stopping } = options
  const failure = Promise.withResolvers<unknown>()
  const stopped = new Promise<undefined>((resolve) => {
    if (stopping.aborted) resolve(undefined)
    stopping.addEventListener('abort', () => resolve(undefined), { once: true })
  })
  const fail = (error: unknown) => failure.resolve(error ?? new Error('failed without a reason'))
  // What nobody awaited is a mistake of ours: what state it left behind nobody knows.
  process.on('unhandledRejection', fail)
  process.on('uncaughtException', fail)

  let running: RunningRole | undefined
  const readiness = () => (stopping.aborted ? STOPPING : (running?.readiness() ?? STARTING))
  const metrics = makeMetrics(readiness)
  const context: RoleContext = { role, config, logger, metrics, fail }
  let ops: { close(): Promise<void> } | undefined
  let error: unknown
  try {
    // The api is a server itself, and serves these on its own port.
    if (role !== 'api') {
      const { scrapeToken } = config
      ops = await serveOps({ role, metrics, scrapeToken, readiness }, config)
    }
    const starting = start(context)
    // A start that is no longer waited for must still be stopped when it is done.
    void starting.then(
      (started) => (running = started),
      () => undefined,
    )
    const first = await Promise.race([starting, failure.promise.then(asFailure), stopped])
    if (first instanceof Failure) throw first.error
    if (first !== undefined) {
      logger.info('started')
      error = await Promise.race([failure.promise, stopped])
    }
  } catch (thrown) {
    error = thrown
  }
  if (error !== undefined) logger.fatal({ err: error }, `the ${role} fails: ${messageOf(error)}`)
  const exitCode = await finish({ logger, running, ops, failed: error !== undefined })
  process.off('unhandledRejection', fail)
  process.off('uncaughtException', fail)
  return exitCode
}

/** Tells a failure from a role that has started. */
class Failure {
  readonly error: unknown
  constructor(error: unknown) {
    this.error = error
  }
}
const asFailure = (error: unknown) => new Failure(error)

interface Finish {
  readonly logger: Logger
  readonly running: RunningRole | undefined
  readonly ops: { close(): Promise<void> } | undefined
  readonly failed: boolean
}

async function finish({ logger, running, ops, failed }: Finish): Promise<number> {
  const all = Promise.all([running?.stop(), ops?.close()]).then(
    () => 'done',
    (error: unknown) => {
      logger.error({ err: error }, `stopping failed: ${messageOf(error)}`)
      return 'failed'
    },
  )
  const outcome = await within(all, LIMITS.roleStopMs, 'late')
  if (outcome === 'late') logger.error(`not stopped within ${LIMITS.roleStopMs / 1000} s`)
  if (outcome === 'done' && !failed) logger.info('stopped')
  return failed || outcome !== 'done' ? 1 : 0
}
