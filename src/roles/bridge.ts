import { hostname } from 'node:os'
import { isLoopback, openAuthenticator } from '../bridge/auth.ts'
import { openBridge } from '../bridge/bridge.ts'
import { loadCredentials } from '../bridge/credentials-file.ts'
import { createDecoder } from '../bridge/decode.ts'
import { bridgeErrors } from '../bridge/errors.ts'
import { loadTopicMap } from '../bridge/topic-map-file.ts'
import { topicFilters } from '../bridge/topic-map.ts'
import { withAddresses } from '../kernel/addresses.ts'
import type { Config } from '../kernel/config.ts'
import { systemClock } from '../kernel/time.ts'
import { connectLog } from '../log/connect.ts'
import { tickRecords } from '../log/control.ts'
import { topicNames } from '../log/topics.ts'
import type { StartRole } from '../ops/role.ts'
import { loadRegistry } from '../registry/files.ts'
import { loadCodecs } from '../schemas/codecs.ts'

/** What a device sends that needs no topic map. */
const FLEET_FILTER = 'fleet/+/+/readings'

/** The bridge keeps nothing: add as many as you like. */
export const startBridge: StartRole = async ({ config, logger, metrics }) => {
  const authenticator = await authenticatorOf(config)
  const registry = await loadRegistry(config)
  const topicMap = await loadTopicMap(config, registry)
  const codecs = await loadCodecs({
    registryUrl: config.schemaRegistryUrl,
    topicPrefix: config.topicPrefix,
  })
  const { maxAgeDays, registeredOnly, mqttUrl, topicPrefix, mqttPort } = config
  const decoder = createDecoder({ codecs, registry, topicMap, maxAgeDays, registeredOnly })
  const topics = topicNames(topicPrefix)
  // What tells this bridge from every other, over restarts too.
  const name = `${topicPrefix}meterloom-${hostname()}-${mqttPort}`
  const warn = (what: string) => logger.warn(what)
  const log = await connectLog(withAddresses(config), { clientId: name, warn })
  try {
    const partitions = await log.partitionCount(topics.readings)
    const bridge = await openBridge({
      host: config.bindAddress,
      port: mqttPort,
      authenticator,
      decoder,
      producer: await log.producer(),
      topics,
      ticks: tickRecords(codecs.control, name, partitions),
      ...(mqttUrl === undefined
        ? {}
        : {
            broker: {
              url: mqttUrl,
              filters: [FLEET_FILTER, ...topicFilters(topicMap)],
              group: `${topicPrefix}meterloom`,
              clientIdPrefix: `${name}-`,
            },
          }),
      registry: metrics,
      clock: systemClock,
      debug: (what) => logger.debug(what),
      warn,
    })
    return {
      readiness() {
        const reasons = bridge.problems()
        return { ready: reasons.length === 0, reasons }
      },
      async stop() {
        await bridge.close()
        await log.close()
      },
    }
  } catch (error) {
    await log.close()
    throw error
  }
}

/**
 * @throws bridge.openToOthers where anybody could write, bridge.noCredentials,
 *   bridge.badCredentials.
 */
async function authenticatorOf(config: Pick<Config, 'bindAddress' | 'credentialsFile'>) {
  const { bindAddress, credentialsFile } = config
  if (credentialsFile !== undefined) return loadCredentials(credentialsFile)
  if (!isLoopback(bindAddress)) throw bridgeErrors.openToOthers({ bindAddress })
  return openAuthenticator
}
