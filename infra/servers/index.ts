import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { embeddedAddresses } from '../../src/kernel/addresses.ts'
import { kafkaServer } from './kafka.ts'
import { postgresServer } from './postgres.ts'
import { questdbServer } from './questdb.ts'
import type { Server, ServerName } from './server.ts'

export { freePorts } from './ports.ts'
export type { Server, ServerName } from './server.ts'

export const SERVER_NAMES: readonly ServerName[] = ['kafka', 'questdb', 'postgres']

export interface ServerPorts {
  readonly kafka: number
  readonly kafkaController: number
  readonly questdbHttp: number
  readonly questdbPg: number
  readonly postgres: number
}

export interface ServersOptions {
  /** Made where it is missing. One set of servers a folder. */
  readonly dataDir: string
  /** By default METERLOOM_SERVER_JARS, else `jars` in the data folder, else `.meterloom/jars`. */
  readonly jarsDir?: string
  readonly ports: ServerPorts
  /** By default all three. */
  readonly only?: readonly ServerName[]
}

export interface RunningServers {
  /** KAFKA_BROKERS, QUESTDB_URL, DATABASE_URL of those that were started. */
  readonly env: Record<string, string>
  readonly servers: readonly Server[]
  readonly stop: () => Promise<void>
}

function jarsDirOf(options: ServersOptions): string {
  const given = options.jarsDir ?? process.env['METERLOOM_SERVER_JARS']
  if (given !== undefined && given !== '') return resolve(given)
  const own = resolve(options.dataDir, 'jars')
  const shared = join(import.meta.dirname, '../../.meterloom/jars')
  return existsSync(own) ? own : shared
}

/** The servers of a data folder, none of them started. */
export async function makeServers(options: ServersOptions): Promise<readonly Server[]> {
  // The servers are told where their data is, and have other working folders than we.
  const dataDir = resolve(options.dataDir)
  const jarsDir = jarsDirOf(options)
  const { ports } = options
  const wanted = new Set(options.only ?? SERVER_NAMES)
  const servers: Server[] = []
  if (wanted.has('kafka')) {
    const { kafka: port, kafkaController: controllerPort } = ports
    servers.push(kafkaServer({ dataDir, jarsDir, port, controllerPort }))
  }
  if (wanted.has('questdb')) {
    const { questdbHttp: httpPort, questdbPg: pgPort } = ports
    servers.push(questdbServer({ dataDir, jarsDir, httpPort, pgPort }))
  }
  if (wanted.has('postgres')) {
    servers.push(await postgresServer({ dataDir, port: ports.postgres }))
  }
  return servers
}

/** The variables that tell of these servers. */
export function addressEnv(
  servers: readonly { readonly name: ServerName }[],
  ports: ServerPorts,
): Record<string, string> {
  const { kafkaBrokers, questdbUrl, databaseUrl } = embeddedAddresses(ports)
  const all: Record<ServerName, [string, string]> = {
    kafka: ['KAFKA_BROKERS', kafkaBrokers],
    questdb: ['QUESTDB_URL', questdbUrl],
    postgres: ['DATABASE_URL', databaseUrl],
  }
  return Object.fromEntries(servers.map(({ name }) => all[name]))
}

/** Resolves when all answer. Where one cannot start, the others are stopped before it rejects. */
export async function startServers(options: ServersOptions): Promise<RunningServers> {
  const servers = await makeServers(options)
  const stop = async () => {
    await Promise.all(servers.map((server) => server.stop()))
  }
  const started = await Promise.allSettled(servers.map((server) => server.start()))
  const failed = started.find((result) => result.status === 'rejected')
  if (failed) {
    await stop()
    throw failed.reason
  }
  return { env: addressEnv(servers, options.ports), servers, stop }
}
