import { Gauge } from 'prom-client'
import { withAddresses } from '../kernel/addresses.ts'
import { connectLog } from '../log/connect.ts'
import { topicNames } from '../log/topics.ts'
import { takeLease } from '../ops/lease.ts'
import type { StartRole } from '../ops/role.ts'
import { lagWatch } from './lag-watch.ts'

/**
 * The worker does what a fleet needs once, whoever does it. Add as many as you like: one holds the
 * lease and works, the others stand by and take over.
 */
export const startWorker: StartRole = async ({ config, logger, metrics }) => {
  const { topicPrefix, processorGroup } = config
  const topic = topicNames(topicPrefix).readings
  const log = await connectLog(withAddresses(config), {
    clientId: 'meterloom-worker',
    warn: (message) => logger.warn(message),
  })
  const watch = lagWatch({ group: `${topicPrefix}${processorGroup}`, topic, metrics })
  let work = Promise.resolve()
  const lease = takeLease({
    databaseUrl: withAddresses(config).databaseUrl,
    // Fleets that share a Postgres but no topics have a worker each.
    name: `worker ${topicPrefix}`,
    onHeld: (lost) => {
      work = work.then(() => watch.run(log, lost))
    },
  })
  new Gauge({
    name: 'meterloom_worker_lease_held',
    help: 'Whether this worker is the one that works: 1 or 0 (it stands by)',
    registers: [metrics],
    collect() {
      this.set(lease.held ? 1 : 0)
    },
  })
  return {
    readiness() {
      const reasons: string[] = []
      if (lease.problem !== undefined) reasons.push(`postgres: ${lease.problem}`)
      if (lease.held && watch.problem !== undefined) reasons.push(`kafka: ${watch.problem}`)
      return { ready: reasons.length === 0, reasons }
    },
    async stop() {
      await lease.release()
      await work
      await log.close()
    },
  }
}
