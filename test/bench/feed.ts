import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { encodePosition } from '../../src/log/position.ts'
import { SOURCE_HEADER, topicNames } from '../../src/log/topics.ts'
import { loadCodecs } from '../../src/schemas/codecs.ts'
import type { FeedClients, FeedReport } from './feed-clients.ts'
import { publishPaced, type Stack, startStack } from './stack.ts'

const HELP = `npm run bench:feed -- [options]

A thousand WebSocket clients, each on ten meters in mode latest and on all anomalies in mode every,
while the whole fleet speaks. Whether each was told each anomaly once; the api's CPU and memory.

  --clients N      WebSocket clients (1000)
  --meters N       meters of the fleet (1000)
  --each N         meters that a client looks at (10)
  --per-second N   readings a second (5000)
  --anomalies N    anomalies a second (50), put on their topic by the benchmark
  --seconds N      measured time (300)
  --json           one line for programs`

const { values: flags } = parseArgs({
  options: {
    clients: { type: 'string', default: '1000' },
    meters: { type: 'string', default: '1000' },
    each: { type: 'string', default: '10' },
    'per-second': { type: 'string', default: '5000' },
    anomalies: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '300' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const seconds = Number(flags.seconds)
const meters = Number(flags.meters)
const anomaliesTotal = Number(flags.anomalies) * seconds
const SAMPLE_SECONDS = 10
/** Before it the clients' heaps and the engine's state grow to their size. */
const WARM_SECONDS = 20

interface Sample {
  readonly cpuPercent: number
  readonly residentMb: number
}

/** Puts numbered anomalies on their topic, some each tenth of a second. */
async function tellAnomalies(stack: Stack): Promise<void> {
  const { log, config } = stack.pipeline
  const { anomaly } = await loadCodecs()
  const producer = await log.producer()
  const topic = topicNames(config.topicPrefix).anomalies
  const startedMs = performance.now()
  for (let n = 0; n < anomaliesTotal;) {
    const elapsed = (performance.now() - startedMs) / 1_000
    const due = Math.min(anomaliesTotal, Math.floor(elapsed * Number(flags.anomalies)))
    const records = []
    for (; n < due; n++) records.push({ n, record: anAnomaly(n) })
    await producer.append(
      topic,
      records.map(({ n: number, record }) => ({
        key: Buffer.from(`demo/${record.meterId}`),
        value: anomaly.encode(record),
        headers: {
          // Behind what the engine itself may say, whatever its partition.
          [SOURCE_HEADER]: encodePosition({
            ...{ epoch: 1, partition: 0, offset: number, index: 0 },
          }),
        },
      })),
    )
    await sleep(100)
  }
  await producer.close()
}

function anAnomaly(n: number) {
  const start = Date.UTC(2026, 0, 1) * 1_000 + n * 900_000_000
  const measured = { expected: 100, lower: 50, upper: 150, value: 220.5, pctChange: 120.5 }
  return {
    ...{ tenant: 'demo', meterId: `m-${n % meters}`, channel: 'power_w', width: '15m' },
    ...{ kind: 'energy_spike', start, end: start + 900_000_000, score: 0.75, ...measured },
    ...{ severity: 'high', state: 'active', run: 1, revision: n },
  }
}

async function sampleApi(stack: Stack, stop: AbortSignal): Promise<readonly Sample[]> {
  const samples: Sample[] = []
  let before = stack.usage()['api']!.cpuSeconds
  let beforeMs = performance.now()
  for (;;) {
    await sleep(SAMPLE_SECONDS * 1_000, undefined, { signal: stop }).catch(() => undefined)
    if (stop.aborted) return samples
    const { cpuSeconds, residentMb } = stack.usage()['api']!
    const share = (cpuSeconds - before) / ((performance.now() - beforeMs) / 1_000)
    samples.push({ cpuPercent: Math.round(share * 1_000) / 10, residentMb: Math.round(residentMb) })
    before = cpuSeconds
    beforeMs = performance.now()
    if (!flags.json) {
      const { cpuPercent, residentMb: mb } = samples.at(-1)!
      console.log(`  ${samples.length * SAMPLE_SECONDS} s: api ${cpuPercent} % of a core, ${mb} MB`)
    }
  }
}

async function main(): Promise<void> {
  const stack = await startStack()
  try {
    const options: FeedClients = {
      apiUrl: stack.api.opsUrl,
      ...{ clients: Number(flags.clients), meters, metersEach: Number(flags.each) },
      anomalies: anomaliesTotal,
    }
    const clients = fork(join(import.meta.dirname, 'feed-clients.ts'), [JSON.stringify(options)])
    await once(clients, 'message')
    const publisher = await stack.publisher(50)
    const perSecond = Number(flags['per-second'])
    const load = { meters, perSecond, seconds: seconds + WARM_SECONDS }
    const paced = publishPaced(publisher, load, () => undefined)
    await sleep(WARM_SECONDS * 1_000)
    const stopping = new AbortController()
    const sampling = sampleApi(stack, stopping.signal)
    await Promise.all([tellAnomalies(stack), paced.done])
    stopping.abort()
    await sleep(2_000)
    clients.send('report')
    const [told] = (await once(clients, 'message')) as [FeedReport]
    clients.kill()
    report(told, await sampling)
  } finally {
    await stack.stop()
  }
}

function report(told: FeedReport, samples: readonly Sample[]): void {
  const half = Math.floor(samples.length / 2)
  const mean = (list: readonly Sample[], of: keyof Sample) =>
    Math.round((list.reduce((sum, one) => sum + one[of], 0) / list.length) * 10) / 10
  const [early, late] = [samples.slice(0, half), samples.slice(half)]
  const flat = {
    cpuPercent: [mean(early, 'cpuPercent'), mean(late, 'cpuPercent')],
    residentMb: [mean(early, 'residentMb'), mean(late, 'residentMb')],
  }
  if (flags.json) console.log(JSON.stringify({ ...told, flat, samples }))
  else {
    console.log(
      `${flags.clients} clients were told ${told.told} anomalies: ${told.lost} lost, ` +
        `${told.doubled} doubled; ${told.closed} connections closed`,
    )
    console.log(
      `  ${Math.round(told.latestMessages / seconds)} messages of latest readings/s, ` +
        `${(told.latestBytes / seconds / 1e6).toFixed(1)} MB/s`,
    )
    console.log(`  api, first and second half: CPU ${flat.cpuPercent.join(' % and ')} % of a core`)
    console.log(`  api, first and second half: memory ${flat.residentMb.join(' MB and ')} MB`)
  }
  if (told.lost + told.doubled > 0) process.exitCode = 1
}

if (flags.help) console.log(HELP)
else await main()
