import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePorts, makeServers, type Server } from '../../infra/servers/index.ts'

/** A Kafka that is one file's alone: one that is to be killed, paused or measured. */
export interface OwnKafka {
  readonly server: Server
  readonly kafkaBrokers: string
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
  /** Stops it and removes what it kept. */
  stop(): Promise<void>
}

export async function startKafka(): Promise<OwnKafka> {
  const dataDir = await mkdtemp(join(tmpdir(), 'meterloom-kafka-'))
  const [kafka = 0, kafkaController = 0, unused = 0] = await freePorts(3)
  const ports = { kafka, kafkaController, questdbHttp: unused, questdbPg: unused, postgres: unused }
  const [server] = await makeServers({ dataDir, ports, only: ['kafka'] })
  await server!.start()
  return {
    server: server!,
    kafkaBrokers: `127.0.0.1:${kafka}`,
    async kill() {
      process.kill(server!.pid!, 'SIGKILL')
      while (server!.pid !== undefined) await sleep(50)
    },
    async stop() {
      await server!.stop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
