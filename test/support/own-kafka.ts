import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePorts, type Server } from '../../infra/servers/index.ts'
import { type KafkaOptions, kafkaServer, newClusterId } from '../../infra/servers/kafka.ts'

/** A Kafka that is one file's alone: one that is to be killed, paused or measured. */
export interface OwnKafka {
  readonly server: Server
  readonly kafkaBrokers: string
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
  /** Stops it and removes what it kept. */
  stop(): Promise<void>
}

const JARS = join(import.meta.dirname, '../../.meterloom/jars')
const jarsDir = () => process.env['METERLOOM_SERVER_JARS'] ?? JARS

/** @param settings Of the broker, beside and instead of the product's. */
export async function startKafka(settings: KafkaOptions['settings'] = {}): Promise<OwnKafka> {
  const dataDir = await mkdtemp(join(tmpdir(), 'meterloom-kafka-'))
  const [port = 0, controllerPort = 0] = await freePorts(2)
  const server = kafkaServer({ dataDir, jarsDir: jarsDir(), port, controllerPort, settings })
  await server.start()
  return {
    server,
    kafkaBrokers: `127.0.0.1:${port}`,
    kill: () => killServer(server),
    async stop() {
      await server.stop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/** Several brokers, each of which is a controller too; of three there are three copies of all. */
export interface OwnCluster {
  /** By number of the node, less one. */
  readonly servers: readonly Server[]
  readonly kafkaBrokers: string
  stop(): Promise<void>
}

/** @param given The folder for what they keep; by default a temporary one, which goes with them. */
export async function startCluster(nodes: number, given?: string): Promise<OwnCluster> {
  const folder = given ?? (await mkdtemp(join(tmpdir(), 'meterloom-kafkas-')))
  const ports = await freePorts(2 * nodes)
  const controllerPorts = ports.slice(nodes)
  const id = newClusterId()
  const servers = ports.slice(0, nodes).map((port, i) => {
    const cluster = { node: i + 1, controllerPorts, id }
    const dataDir = join(folder, `broker-${i + 1}`)
    const controllerPort = controllerPorts[i]!
    return kafkaServer({ dataDir, jarsDir: jarsDir(), port, controllerPort, cluster })
  })
  const stop = async () => {
    await Promise.all(servers.map((server) => server.stop()))
    if (given === undefined) rmSync(folder, { recursive: true, force: true })
  }
  try {
    await Promise.all(servers.map((server) => server.start()))
  } catch (error) {
    await stop()
    throw error
  }
  const kafkaBrokers = servers.map(({ port }) => `127.0.0.1:${port}`).join()
  return { servers, kafkaBrokers, stop }
}

/** SIGKILL; resolves when the server is gone. */
export async function killServer(server: Server): Promise<void> {
  const isGone = () => server.pid === undefined
  if (!isGone()) process.kill(server.pid!, 'SIGKILL')
  while (!isGone()) await sleep(20)
}
