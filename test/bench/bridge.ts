import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { freePorts } from '../../infra/servers/index.ts'
import type { Log } from '../../src/log/log.ts'
import { connectLog } from '../../src/log/connect.ts'
import { topicNames, topicSpecs } from '../../src/log/topics.ts'
import { loadCodecs } from '../../src/schemas/codecs.ts'
import { testConfig } from '../support/config.ts'
import { type OwnKafka, startKafka } from '../support/own-kafka.ts'
import { environmentOf, onFreePorts } from '../support/roles.ts'
import { type Arrived, countArrived } from './bridge-check.ts'
import { type Peer, peerMissing, startPeer } from './bridge-peer.ts'
import { type Load, indexOf } from './bridge-readings.ts'
import { type Outcome, killed, runLoad } from './bridge-run.ts'

const HELP = `npm run bench:bridge -- [options]

Acknowledged readings a second and CPU for each, one JSON reading a PUBLISH at QoS 1; then whether
Kafka holds every acknowledged one. Kafka is our own unless KAFKA_BROKERS names one (which is not
killed).

  --connections LIST   connections of each run (1,50,1000)
  --readings N         readings of a run (200000)
  --outstanding N      publishes that wait for their PUBACK, over all connections (1000)
  --kill               kills the bridge, then Kafka, half-way of a run each
  --peer               mosquitto and Apache Camel run the same load
  --json               a line for programs for each run`

const { values: flags } = parseArgs({
  options: {
    readings: { type: 'string', default: '200000' },
    connections: { type: 'string', default: '1,50,1000' },
    outstanding: { type: 'string', default: '1000' },
    kill: { type: 'boolean', default: false },
    peer: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (flags.help) {
  console.log(HELP)
  process.exit(0)
}
const readings = Number(flags.readings)
const outstanding = Number(flags.outstanding)
const MAIN = join(import.meta.dirname, '../../src/main.ts')
const WARM_UP = 100_000
const READY_MS_MAX = 20_000
/** The peer's broker acknowledges before Kafka: what nobody has seen after this long is lost. */
const PEER_QUIET_MS = 12_000

type Line = Outcome & Arrived & { readonly case: string }

const lines: Line[] = []

function report(line: Line): void {
  lines.push(line)
  if (flags.json) {
    console.log(JSON.stringify(line))
    return
  }
  const cpu = line.cpuMicros > 0 ? `${line.cpuMicros.toFixed(1)} us of CPU each` : ''
  const memory = line.residentMb > 0 ? `${line.residentMb} MB` : ''
  console.log(
    `${line.case.padEnd(26)} ${String(line.connections).padStart(5)} connections  ` +
      `${String(line.acknowledgedPerSecond).padStart(7)} acknowledged/s  ` +
      `${cpu.padStart(19)}  ${memory.padStart(6)}  ` +
      `p50 ${line.latencyMsP50} ms, p99 ${line.latencyMsP99} ms  ` +
      `lost ${line.lost}, repeated ${line.repeats}`,
  )
}

interface OurBridge {
  readonly url: string
  pid(): number
  kill(): Promise<void>
  stop(): Promise<void>
}

async function startBridge(config: Parameters<typeof environmentOf>[0]): Promise<OurBridge> {
  let child: ChildProcess
  const start = async () => {
    child = spawn(process.execPath, [MAIN, 'bridge'], {
      env: { ...process.env, ...environmentOf(config), LOG_LEVEL: 'warn' },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    await ready(config.bridgeOpsPort)
  }
  await start()
  return {
    url: `mqtt://127.0.0.1:${config.mqttPort}`,
    pid: () => child.pid!,
    // As the supervisor would start it again.
    async kill() {
      await killed(child)
      await sleep(500)
      await start()
    },
    stop: () => killed(child),
  }
}

async function ready(opsPort: number): Promise<void> {
  const deadlineMs = performance.now() + READY_MS_MAX
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${opsPort}/ready`).catch(() => undefined)
    if (answer?.ok === true) return
    if (performance.now() > deadlineMs) throw new Error('the bridge is not ready')
    await sleep(50)
  }
}

/** Undefined where somebody else's is to be measured. */
async function ownKafka(): Promise<OwnKafka | undefined> {
  return (process.env['KAFKA_BROKERS'] ?? '') === '' ? startKafka() : undefined
}

let runs = 0

function nextLoad(url: string, connections: number, count = readings): Load {
  runs += 1
  return { url, tenant: `bench${runs}`, connections, outstanding, readings: count }
}

async function benchBridge(
  log: Log,
  kafkaBrokers: string,
  kafka: OwnKafka | undefined,
): Promise<void> {
  const config = await onFreePorts(testConfig({ kafkaBrokers, partitions: 12, retentionBytes: -1 }))
  const topics = topicNames(config.topicPrefix)
  await log.createTopics(topicSpecs(topics, config))
  const { reading } = await loadCodecs()
  const bridge = await startBridge(config)
  const pids = () => [bridge.pid()]
  const run = async (name: string, load: Load, atHalf?: () => Promise<void>) => {
    const from = await log.endOffsets(topics.readings)
    // Of processes that die half-way nobody can tell the CPU.
    const outcome = await runLoad(load, atHalf ? { pids: () => [], atHalf } : { pids })
    const arrived = await countArrived(log, topics.readings, {
      from,
      readings: load.readings,
      indexOf: (key, value) => {
        if (!key.startsWith(`${load.tenant}/`)) return undefined
        const { meterId, at } = reading.decode(value)
        return indexOf(meterId, at / 1_000)
      },
    })
    report({ case: name, ...outcome, ...arrived })
  }
  try {
    await runLoad(nextLoad(bridge.url, 50, WARM_UP), { pids })
    for (const connections of flags.connections.split(',').map(Number)) {
      await run('meterloom', nextLoad(bridge.url, connections))
    }
    if (flags.kill) {
      await run('meterloom, bridge killed', nextLoad(bridge.url, 50), () => bridge.kill())
      if (kafka === undefined) console.error('Kafka is not ours to kill: KAFKA_BROKERS is set')
      else await run('meterloom, Kafka killed', nextLoad(bridge.url, 50), () => restart(kafka))
    }
  } finally {
    await bridge.stop()
    await log.deleteTopics(Object.values(topics))
  }
}

async function restart(kafka: OwnKafka): Promise<void> {
  await kafka.kill()
  await kafka.server.start()
}

async function benchPeer(log: Log, kafkaBrokers: string): Promise<void> {
  const missing = peerMissing()
  if (missing !== undefined) {
    console.error(`the peer is left out: ${missing}`)
    return
  }
  const [port] = await freePorts(1)
  const peerData = join(import.meta.dirname, '../../.meterloom')
  await log.createTopics([{ topic: 'bridge.readings', partitions: 12, settings: {} }])
  const peer = await startPeer({ kafkaBrokers, port: port!, dataDir: peerData })
  try {
    await runLoad(nextLoad(peer.url, 50, WARM_UP), peer)
    for (const connections of flags.connections.split(',').map(Number)) {
      await peerRun(log, peer, 'mosquitto and Camel', nextLoad(peer.url, connections))
    }
    if (flags.kill) {
      const killing = { pids: () => [], atHalf: () => peer.killBroker() }
      await peerRun(log, peer, 'their broker killed', nextLoad(peer.url, 50), killing)
    }
  } finally {
    await peer.stop()
    await log.deleteTopics([peer.topic])
  }
}

async function peerRun(
  log: Log,
  peer: Peer,
  name: string,
  load: Load,
  measured: Parameters<typeof runLoad>[1] = peer,
): Promise<void> {
  const from = await log.endOffsets(peer.topic)
  const outcome = await runLoad(load, measured)
  const total = async () => (await log.endOffsets(peer.topic)).reduce((sum, end) => sum + end, 0)
  for (let before = -1, quietMs = 0; quietMs < PEER_QUIET_MS; quietMs += 500) {
    const now = await total()
    if (now !== before) quietMs = 0
    before = now
    if (now - from.reduce((sum, end) => sum + end, 0) >= load.readings) break
    await sleep(500)
  }
  const arrived = await countArrived(log, peer.topic, {
    from,
    readings: load.readings,
    indexOf: (key, value) => {
      const [, tenant, meterId = ''] = key.split('/')
      if (tenant !== load.tenant) return undefined
      const { at } = JSON.parse(value.toString()) as { at: string }
      return indexOf(meterId, Date.parse(at))
    },
  })
  report({ case: name, ...outcome, ...arrived })
}

/** A client of its own for each, which knows of no topic that is gone. */
async function withLog(kafkaBrokers: string, run: (log: Log) => Promise<void>): Promise<void> {
  const log = await connectLog({ kafkaBrokers }, { clientId: 'bench' })
  try {
    await run(log)
  } finally {
    await log.close()
  }
}

const kafka = await ownKafka()
const kafkaBrokers = kafka?.kafkaBrokers ?? process.env['KAFKA_BROKERS']!
try {
  await withLog(kafkaBrokers, (log) => benchBridge(log, kafkaBrokers, kafka))
  if (flags.peer) await withLog(kafkaBrokers, (log) => benchPeer(log, kafkaBrokers))
} finally {
  await kafka?.stop()
}
// What was acknowledged and is not there breaks the one promise.
const isBroken = lines.some((line) => line.case.startsWith('meterloom') && line.lost > 0)
process.exit(isBroken ? 1 : 0)
