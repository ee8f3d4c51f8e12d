import { watchTotals } from '../engine/rekey/totals-metrics.ts'
import { startRuntime } from '../engine/runtime.ts'
import type { Runtime, RuntimeOptions } from '../engine/runtime.ts'
import { withAddresses } from '../kernel/addresses.ts'
import { connectLog } from '../log/connect.ts'
import { topicNames, topicSpecs } from '../log/topics.ts'
import type { Readiness, StartRole } from '../ops/role.ts'
import { loadRegistry } from '../registry/files.ts'
import { loadCodecs } from '../schemas/codecs.ts'
import { questdbSink } from '../sinks/questdb.ts'
import { ensureTables } from '../sinks/tables.ts'
import { watchWal } from '../sinks/wal-watch.ts'
import { pipeline } from '../../topologies/index.ts'
import { totalsPipeline } from '../../topologies/totals.ts'

/**
 * The processor computes all that is computed of the readings. Add as many as there are partitions:
 * they share them through their consumer group, and when one dies the others take its partitions
 * over.
 */
export const startProcessor: StartRole = async (context) => {
  const { logger, metrics } = context
  const config = withAddresses(context.config)
  const { questdbUrl, tablePrefix: prefix, topicPrefix, partitions, retentionBytes } = config
  const topics = topicNames(topicPrefix)
  // In this order a mistake in a file or a table is told before any reading is touched.
  const registry = await loadRegistry(config)
  await ensureTables({ questdbUrl, prefix })
  const codecs = await loadCodecs({
    registryUrl: config.schemaRegistryUrl,
    topicPrefix: config.topicPrefix,
  })
  const log = await connectLog(config, {
    clientId: 'meterloom-processor',
    warn: (message) => logger.warn(message),
  })
  // What is opened is closed again in the opposite order, whether at the end or where a start
  // fails.
  const closers: (() => Promise<void>)[] = [() => log.close()]
  const closeAll = async () => {
    for (const close of closers.reverse()) await close()
  }
  try {
    await log.createTopics(topicSpecs(topics, { partitions, retentionBytes }))
    const sink = questdbSink({ questdbUrl, prefix, metrics, logger })
    closers.push(() => sink.close())
    const wal = watchWal({ questdbUrl, prefix, metrics, logger })
    closers.push(() => wal.stop())
    const group = `${topicPrefix}${config.processorGroup}`
    const common = {
      ...{ log, topics, registry, tables: sink, codecs, logger },
      ...{ epoch: config.logEpoch, backfill: config.backfill, dropState: config.dropState },
      retentionHours: config.seriesRetentionDays * 24,
      onFailed: (error: unknown) => context.fail(error),
    }
    const second = {
      pipeline: totalsPipeline,
      input: topics.contributions,
      stateTopic: topics.totalsState,
      group: `${group}-totals`,
    }
    const runtimes = await startAll(closers, [
      { ...common, pipeline, input: topics.readings, group, metrics },
      { ...common, ...second },
    ])
    watchTotals(metrics, () => runtimes[1]!.tasks())
    const parts = () => [
      ...runtimes.map((runtime) => runtime.readiness()),
      wal.readiness(),
      sink.problems(),
    ]
    return {
      readiness: () => joined(parts()),
      stop: closeAll,
    }
  } catch (error) {
    await closeAll()
    throw error
  }
}

/** Starts both stages at once, and stops them at once: neither waits for the other. */
async function startAll(
  closers: (() => Promise<void>)[],
  options: readonly RuntimeOptions[],
): Promise<readonly Runtime[]> {
  const started = await Promise.allSettled(options.map((one) => startRuntime(one)))
  const runtimes = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  closers.push(async () => {
    await Promise.all(runtimes.map((runtime) => runtime.stop()))
  })
  const failed = started.find((one) => one.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return runtimes
}

function joined(parts: readonly (Readiness | readonly string[])[]): Readiness {
  const reasons = parts.flatMap((part) => ('reasons' in part ? part.reasons : part))
  return { ready: reasons.length === 0, reasons }
}
