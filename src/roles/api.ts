import { makeApp } from '../api/app.ts'
import { LiveFeed } from '../api/live/index.ts'
import { peersOf, readyOfAll } from '../api/ready-of-all.ts'
import { withAddresses } from '../kernel/addresses.ts'
import { connectLog } from '../log/connect.ts'
import { listenError } from '../ops/listen.ts'
import type { Readiness, StartRole } from '../ops/role.ts'
import { loadRegistry } from '../registry/files.ts'
import { loadCodecs } from '../schemas/codecs.ts'

/** The api keeps no state: what it answers it asks of the others. Add as many as you like. */
export const startApi: StartRole = async ({ config, logger, metrics }) => {
  const { questdbUrl, kafkaBrokers } = withAddresses(config)
  const { topicPrefix, tablePrefix, logEpoch: epoch, liveSecret } = config
  const [registry, codecs, log] = await Promise.all([
    loadRegistry(config),
    loadCodecs({ topicPrefix, registryUrl: config.schemaRegistryUrl }),
    connectLog({ kafkaBrokers }, { clientId: 'meterloom-api' }),
  ])
  const live = new LiveFeed({
    ...{ log, codecs, registry, metrics, logger, topicPrefix, tablePrefix, questdbUrl, epoch },
    secret: liveSecret,
  })
  const own = (): Readiness => {
    const reasons = live.problem === undefined ? [] : [live.problem]
    return { ready: reasons.length === 0, reasons }
  }
  const peers = peersOf(config)
  const app = await makeApp({
    role: 'api',
    metrics,
    scrapeToken: config.scrapeToken,
    ...{ topicPrefix, tablePrefix, questdbUrl, registry, logger, live },
    fleet: live.fleet,
    peers,
    tenant: config.apiTenant,
    readiness: () => readyOfAll(own(), peers),
  })
  const place = { role: 'api', host: config.bindAddress, port: config.apiPort, setting: 'API_PORT' }
  const close = async () => {
    await live.stop()
    await app.close()
    await log.close()
  }
  live.start()
  try {
    await app.listen({ host: place.host, port: place.port })
  } catch (error) {
    await close()
    throw listenError(place, error)
  }
  return { readiness: own, stop: close }
}
