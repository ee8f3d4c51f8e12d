import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { LIMITS } from '../../src/kernel/limits.ts'
import { JAVA, JAVA_ENV, jarClassPath } from './java.ts'
import { runOnce } from './run-once.ts'
import { ServerProcess } from './server-process.ts'
import type { Server } from './server.ts'

export interface KafkaOptions {
  readonly dataDir: string
  readonly jarsDir: string
  readonly port: number
  /** Of the controller's listener, which nobody but the brokers uses. */
  readonly controllerPort: number
  /** Its place among several; by default it is the only one. */
  readonly cluster?: ClusterPlace
  /** Of the broker, beside and instead of ours. */
  readonly settings?: Readonly<Record<string, string>>
}

/** One of several nodes, each of which is broker and controller. */
export interface ClusterPlace {
  /** From 1 on. */
  readonly node: number
  /** Of all nodes, the first one's first. */
  readonly controllerPorts: readonly number[]
  /** The same for all: 16 bytes in base64url, which do not start with `-`. */
  readonly id: string
}

/** Kafka reads an id that starts with '-' as an option. */
export function newClusterId(): string {
  return randomBytes(16).toString('base64url').replace(/^-/, 'A')
}

/** As Java reads values of properties: in Latin-1, with backslashes that escape. */
function javaProperty(text: string): string {
  return text
    .replaceAll('\\', '\\\\')
    .replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Of three nodes and more one may be away, and nothing is acknowledged that lies on one alone. */
function copiesOf(nodes: number): { copies: number; least: number } {
  return nodes < 3 ? { copies: 1, least: 1 } : { copies: 3, least: 2 }
}

/** A node that is broker and controller. */
function properties(options: KafkaOptions, logDir: string): string {
  const { port, controllerPort, cluster, settings = {} } = options
  const { node, controllerPorts } = cluster ?? { node: 1, controllerPorts: [controllerPort] }
  const voters = controllerPorts.map((voter, i) => `${i + 1}@127.0.0.1:${voter}`)
  const { copies, least } = copiesOf(controllerPorts.length)
  return [
    'process.roles=broker,controller',
    `node.id=${node}`,
    `controller.quorum.voters=${voters.join()}`,
    `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names=CONTROLLER',
    `log.dirs=${javaProperty(logDir)}`,
    `default.replication.factor=${copies}`,
    `min.insync.replicas=${least}`,
    `offsets.topic.replication.factor=${copies}`,
    'offsets.topic.num.partitions=4',
    `transaction.state.log.replication.factor=${copies}`,
    `transaction.state.log.min.isr=${least}`,
    'transaction.state.log.num.partitions=4',
    `share.coordinator.state.topic.replication.factor=${copies}`,
    `share.coordinator.state.topic.min.isr=${least}`,
    // A group of one member need not wait for others that never come.
    'group.initial.rebalance.delay.ms=0',
    // After kill -9 the node is let in again only when its earlier session is over; 9 s is the
    // default.
    'broker.session.timeout.ms=3000',
    'broker.heartbeat.interval.ms=500',
    // A misspelt topic is an error, not a topic.
    'auto.create.topics.enable=false',
    // A segment counts against retention.bytes only when it is closed.
    'log.segment.bytes=67108864',
    // The last one counts.
    ...Object.entries(settings).map(([name, value]) => `${name}=${value}`),
    '',
  ].join('\n')
}

const LOG4J = `rootLogger.level=WARN
rootLogger.appenderRef.out.ref=out
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %p %c{1}: %m%n
`

/**
 * Kafka's ApiVersions v0 request, with correlation id 1 and no client id: `size key version id
 * client`.
 */
const API_VERSIONS = Buffer.from('0000000a' + '0012' + '0000' + '00000001' + 'ffff', 'hex')

/** Kafka answers requests only after its broker has been let in by the controller. */
function probeKafka(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ port, host: '127.0.0.1' }, () => socket.write(API_VERSIONS))
    socket.setTimeout(LIMITS.probeTimeoutMs, () => socket.destroy(new Error('no answer')))
    socket.once('data', () => {
      socket.destroy()
      resolve()
    })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('closed without an answer')))
  })
}

export function kafkaServer(options: KafkaOptions): Server {
  const { dataDir, jarsDir, port, controllerPort } = options
  const home = join(dataDir, 'kafka')
  const logDir = join(home, 'data')
  const propertiesFile = join(home, 'server.properties')
  const log4jFile = join(home, 'log4j2.properties')
  const log4j = `-Dlog4j2.configurationFile=${pathToFileURL(log4jFile).href}`
  return new ServerProcess(
    {
      name: 'kafka',
      claims: [
        { port, setting: 'KAFKA_PORT' },
        { port: controllerPort, setting: 'KAFKA_PORT' },
      ],
      stopSignal: 'SIGTERM',
      async prepare() {
        mkdirSync(home, { recursive: true })
        writeFileSync(propertiesFile, properties(options, logDir))
        writeFileSync(log4jFile, LOG4J)
        if (existsSync(join(logDir, 'meta.properties'))) return
        const id = options.cluster?.id ?? newClusterId()
        const format = ['format', '-t', id, '-c', propertiesFile]
        const tool = [log4j, '-Xmx128m', '-cp', jarClassPath(jarsDir), 'kafka.tools.StorageTool']
        await runOnce('kafka', { program: JAVA, args: [...tool, ...format], env: JAVA_ENV })
      },
      command: () => ({
        program: JAVA,
        env: JAVA_ENV,
        args: [
          '-Xms128m',
          '-Xmx640m',
          '-XX:+UseG1GC',
          '-XX:MaxGCPauseMillis=20',
          '-XX:+ExitOnOutOfMemoryError',
          '-Djava.awt.headless=true',
          log4j,
          '-cp',
          jarClassPath(jarsDir),
          'kafka.Kafka',
          propertiesFile,
        ],
      }),
      probe: () => probeKafka(port),
    },
    dataDir,
  )
}
