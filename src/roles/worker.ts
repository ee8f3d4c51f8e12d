import { Gauge } from 'prom-client'
import { withAddresses } from '../kernel/addresses.ts'
import { connectLog } from '../log/connect.ts'
import { topicNames, topicSpecs } from '../log/topics.ts'
import { takeLease } from '../ops/lease.ts'
import type { StartRole } from '../ops/role.ts'
import { loadRegistry } from '../registry/files.ts'
import { loadCodecs } from '../schemas/codecs.ts'
import { questdbSql } from '../sinks/questdb-http.ts'
import { lagWatch } from './lag-watch.ts'
import { startRepair } from './repair.ts'

/**
 * The worker does what a fleet needs once, whoever does it. Add as many as you like: one holds the
 * lease and watches, the others stand by and take over; repairs are shared by all.
 */
export const startWorker: StartRole = async (context) => {
  const { config, logger, metrics } = context
  const { topicPrefix, processorGroup, tablePrefix: prefix, partitions, retentionBytes } = config
  const topics = topicNames(topicPrefix)
  const topic = topics.readings
  const registry = await loadRegistry(config)
  const { schemaRegistryUrl: registryUrl } = config
  const codecs = await loadCodecs({ registryUrl, topicPrefix })
  const log = await connectLog(withAddresses(config), {
    clientId: 'meterloom-worker',
    warn: (message) => logger.warn(message),
  })
  const group = `${topicPrefix}${processorGroup}`
  await log.createTopics(topicSpecs(topics, { partitions, retentionBytes }))
  const sql = questdbSql(withAddresses(config).questdbUrl)
  const common = { log, sql, prefix, topics, group, registry, codecs, metrics, logger }
  const repair = await startRepair({ ...common, onFailed: (error) => context.fail(error) })
  const watch = lagWatch({ group, topic, metrics })
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
      await repair.stop()
      await lease.release()
      await work
      await log.close()
    },
  }
}
