import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Config } from '../kernel/config.ts'

/**
 * A role is one process of the product: bridge, processor, api or worker. `src/main.ts` starts one
 * by its name, gives it this context, serves its /health, /ready and /metrics on the role's ops
 * port, and stops it on a signal.
 */
export type RoleName = 'bridge' | 'processor' | 'api' | 'worker'

export interface RoleContext {
  readonly role: RoleName
  readonly config: Config
  readonly logger: Logger
  /** Where the role registers its metrics; default process metrics are there already. */
  readonly metrics: Registry
  /**
   * The role cannot go on: reports, stops what runs, exits non-zero, so that the supervisor
   * restarts it.
   */
  fail(error: unknown): void
}

export interface Readiness {
  readonly ready: boolean
  /**
   * One line a part: what it is and why it is not ready, such as `questdb: table windows is
   * suspended`.
   */
  readonly reasons: readonly string[]
}

export interface RunningRole {
  readiness(): Readiness
  /** Finishes what is under way and lets go, within 10 s. */
  stop(): Promise<void>
}

export type StartRole = (context: RoleContext) => Promise<RunningRole>
