import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { openPublisher } from '../../src/tools/publisher.ts'
import { type Load, meterOf, readingOf } from './bridge-readings.ts'

/**
 * The load of `bridge.ts`, a process of its own: `node bridge-load.ts '{...}'` opens the
 * connections and says `open`; publishes when it is told `go`, says `half` when half is
 * acknowledged; ends with one JSON line when all are.
 */

/** The latency of every so many publishes is measured. */
const SAMPLE_EVERY = 50

const load = JSON.parse(process.argv[2]!) as Load
const latenciesMs: number[] = []
let acknowledged = 0
const publisher = await openPublisher({
  url: load.url,
  connections: load.connections,
  window: Math.max(1, Math.round(load.outstanding / load.connections)),
  clientIdPrefix: `${load.tenant}-`,
  onAck: (_topic, _payload, sentMs) => {
    acknowledged += 1
    if (typeof sentMs === 'number') latenciesMs.push(performance.now() - sentMs)
    if (acknowledged === Math.floor(load.readings / 2)) console.log('half')
  },
})
console.log('open')
await once(createInterface(process.stdin), 'line')

const startedMs = performance.now()
const cpu = process.cpuUsage()
for (let i = 0; i < load.readings; i += 1) {
  const full = publisher.publish(`fleet/${load.tenant}/${meterOf(i)}/readings`, readingOf(i), {
    connection: i % load.connections,
    tag: i % SAMPLE_EVERY === 0 ? performance.now() : undefined,
  })
  if (full !== undefined) await full
}
await publisher.flush()
const seconds = (performance.now() - startedMs) / 1_000
const { user, system } = process.cpuUsage(cpu)
const { resent, cuts } = publisher.stats()
latenciesMs.sort((a, b) => a - b)
const quantile = (q: number) => latenciesMs[Math.floor(q * (latenciesMs.length - 1))] ?? 0
console.log(
  JSON.stringify({
    acknowledged,
    seconds,
    resent,
    cuts,
    loadCpuMicros: (user + system) / load.readings,
    latencyMsP50: quantile(0.5),
    latencyMsP99: quantile(0.99),
  }),
)
await publisher.close()
process.exit(0)
