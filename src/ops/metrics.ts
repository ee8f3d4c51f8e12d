import { Gauge, Registry, collectDefaultMetrics } from 'prom-client'
import type { Readiness } from './role.ts'

/**
 * A registry with what every process has: `process_*`, `nodejs_*` and whether the role is ready.
 */
export function makeMetrics(readiness: () => Readiness): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  new Gauge({
    name: 'meterloom_role_ready',
    help: 'Whether this role is ready by itself: 1 or 0',
    registers: [registry],
    collect() {
      this.set(readiness().ready ? 1 : 0)
    },
  })
  return registry
}
