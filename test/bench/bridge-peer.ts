import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { killed } from './bridge-run.ts'

/** The peer: mosquitto, and Apache Camel that writes what it gets there to Kafka. */
export interface Peer {
  readonly url: string
  readonly topic: string
  pids(): readonly number[]
  /** kill -9 of the broker and, as a supervisor would, a new start of both after a second. */
  killBroker(): Promise<void>
  stop(): Promise<void>
}

const HOME = join(import.meta.dirname, 'peers/bridge')
const READY_MS_MAX = 60_000

/** Why the peer cannot run on this machine; undefined where it can. */
export function peerMissing(): string | undefined {
  for (const program of ['mvn', 'java', 'mosquitto']) {
    const path = `${process.env['PATH'] ?? ''}:/usr/sbin`
    const found = spawnSync('sh', ['-c', `command -v ${program}`], { env: { PATH: path } })
    if (found.status !== 0) return `${program} is not installed`
  }
  return undefined
}

/** Gathers its jars once, then starts it. */
export async function startPeer(options: {
  readonly kafkaBrokers: string
  readonly port: number
  readonly dataDir: string
}): Promise<Peer> {
  const build = join(options.dataDir, 'peer-bridge')
  mkdirSync(build, { recursive: true })
  if (!existsSync(join(build, 'lib'))) {
    const args = ['-q', '-B', '-f', join(HOME, 'pom.xml'), `-DbuildFolder=${build}`, 'package']
    const done = spawnSync('mvn', args, { stdio: ['ignore', 'inherit', 'inherit'] })
    if (done.status !== 0) throw new Error(`mvn ${args.join(' ')} failed`)
  }
  const peer = new MosquittoAndCamel({ ...options, lib: join(build, 'lib') })
  await peer.start()
  return peer
}

class MosquittoAndCamel implements Peer {
  readonly url: string
  readonly topic = 'bridge.readings'
  private readonly options: { kafkaBrokers: string; port: number; lib: string }
  private readonly folder = mkdtempSync(join(tmpdir(), 'meterloom-peer-'))
  private broker: ChildProcess | undefined
  private camel: ChildProcess | undefined

  constructor(options: { kafkaBrokers: string; port: number; lib: string }) {
    this.options = options
    this.url = `mqtt://127.0.0.1:${options.port}`
  }

  async start(): Promise<void> {
    const { port, kafkaBrokers, lib } = this.options
    const file = join(this.folder, 'mosquitto.conf')
    const template = readFileSync(join(HOME, 'conf/mosquitto.conf.in'), 'utf8')
    // As mosquitto comes: it acknowledges what is in its memory.
    const user = process.getuid?.() === 0 ? 'user root\n' : ''
    writeFileSync(file, `${template.replace('@PORT@', String(port))}${user}persistence false\n`)
    this.broker = spawn('mosquitto', ['-c', file], {
      stdio: 'ignore',
      env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` },
    })
    await this.answers()
    const log = '-Dorg.slf4j.simpleLogger'
    const context = 'org.apache.camel.impl.engine.AbstractCamelContext'
    const args = [
      '-Xmx1g',
      '-XX:+UseG1GC',
      `${log}.defaultLogLevel=warn`,
      `${log}.log.${context}=info`,
      '-cp',
      `${join(HOME, 'conf')}:${lib}/*`,
      'org.apache.camel.main.Main',
    ]
    this.camel = spawn('java', args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        MQTT_URL: this.url.replace('mqtt', 'tcp'),
        BOOTSTRAP: kafkaBrokers,
        MANUAL_ACKS: 'true',
      },
    })
    await this.camelStarted(this.camel)
  }

  private async answers(): Promise<void> {
    for (let tries = 0; tries < 100; tries += 1) {
      const socket = connect({ port: this.options.port, host: '127.0.0.1' })
      const isOpen = await Promise.race([
        once(socket, 'connect').then(
          () => true,
          () => false,
        ),
        sleep(1_000).then(() => false),
      ])
      socket.destroy()
      if (isOpen) return
      await sleep(50)
    }
    throw new Error('mosquitto does not answer')
  }

  private async camelStarted(camel: ChildProcess): Promise<void> {
    let said = ''
    const started = Promise.withResolvers<undefined>()
    camel.stderr!.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-16_000)
      if (/Apache Camel .* started/.test(said)) started.resolve(undefined)
    })
    const timer = setTimeout(() => started.reject(new Error(`Camel: ${said}`)), READY_MS_MAX)
    await started.promise.finally(() => clearTimeout(timer))
  }

  pids(): readonly number[] {
    return [this.broker, this.camel].flatMap((child) => child?.pid ?? [])
  }

  async killBroker(): Promise<void> {
    await killed(this.broker!)
    await sleep(1_000)
    await killed(this.camel!)
    await this.start()
  }

  async stop(): Promise<void> {
    for (const child of [this.camel, this.broker]) if (child !== undefined) await killed(child)
    rmSync(this.folder, { recursive: true, force: true })
  }
}
