import { makeApp } from '../api/app.ts'
import { peersOf, readyOfAll } from '../api/ready-of-all.ts'
import { listenError } from '../ops/listen.ts'
import type { Readiness, StartRole } from '../ops/role.ts'

/** The api keeps no state: what it answers it asks of the others. Add as many as you like. */
export const startApi: StartRole = async ({ config, metrics }) => {
  const own: Readiness = { ready: true, reasons: [] }
  const peers = peersOf(config)
  const app = await makeApp({
    role: 'api',
    metrics,
    scrapeToken: config.scrapeToken,
    readiness: () => readyOfAll(own, peers),
  })
  const place = { role: 'api', host: config.bindAddress, port: config.apiPort, setting: 'API_PORT' }
  try {
    await app.listen({ host: place.host, port: place.port })
  } catch (error) {
    await app.close()
    throw listenError(place, error)
  }
  return { readiness: () => own, stop: () => app.close() }
}
