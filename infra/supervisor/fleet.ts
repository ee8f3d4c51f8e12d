import { randomBytes } from 'node:crypto'
import type { Addresses } from '../../src/kernel/addresses.ts'
import type { Config } from '../../src/kernel/config.ts'
import type { RoleName } from '../../src/ops/role.ts'
import { opsPortOf, processorPort } from '../../src/ops/serve-ops.ts'
import {
  SERVER_NAMES,
  type ServerName,
  type ServerPorts,
  addressEnv,
  freePorts,
  makeServers,
} from '../servers/index.ts'
import type { PortClaim, Server } from '../servers/server.ts'
import { RoleProcess } from './role-process.ts'

/** What `meterloom start` runs, as the settings have it; nothing of it is started yet. */
export interface Fleet {
  readonly servers: readonly Server[]
  readonly roles: readonly RoleProcess[]
  /** The simulated fleet of meters; undefined where it is left out. */
  readonly sample: RoleProcess | undefined
  /** Where the api says whether all roles are ready. */
  readonly readyUrl: string
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The roles, and the heap that each may have, in MB: servers, roles and sample together live in 4
 * GB. What the engine keeps in typed arrays is not counted by it.
 */
const HEAP_MB = { bridge: 512, processor: 768, worker: 192, api: 256 } as const
const SAMPLE_HEAP_MB = 256
const ROLES: readonly RoleName[] = ['bridge', 'processor', 'worker', 'api']

/** The servers that nobody gave an address of. */
function serversWanted(env: Environment): readonly ServerName[] {
  const given: Record<ServerName, string | undefined> = {
    kafka: env['KAFKA_BROKERS'],
    questdb: env['QUESTDB_URL'],
    postgres: env['DATABASE_URL'],
  }
  return SERVER_NAMES.filter((name) => (given[name] ?? '') === '')
}

function claimsOf(role: RoleName, config: Config): readonly PortClaim[] {
  const { port, setting } = opsPortOf(role, config)
  if (role === 'api') return [{ port, setting, host: config.bindAddress }]
  const ops = { port, setting, host: config.opsBindAddress }
  if (role !== 'bridge') return [ops]
  return [{ port: config.mqttPort, setting: 'MQTT_PORT', host: config.bindAddress }, ops]
}

/** An address that means all interfaces is none to call. */
function callable(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1'
  if (address === '::') return '[::1]'
  return address.includes(':') ? `[${address}]` : address
}

function roleService(
  role: RoleName,
  config: Config,
  env: NodeJS.ProcessEnv,
  name: string = role,
): RoleProcess {
  const address = role === 'api' ? config.bindAddress : config.opsBindAddress
  // The api's /ready speaks for all roles; by itself it is ready as soon as it answers.
  const path = role === 'api' ? 'health' : 'ready'
  return new RoleProcess({
    name,
    dataDir: config.dataDir,
    script: 'main.ts',
    args: [role],
    heapMb: HEAP_MB[role],
    env,
    claims: claimsOf(role, config),
    readyUrl: `http://${callable(address)}:${opsPortOf(role, config).port}/${path}`,
  })
}

/** The processors that share the work: each is told its own ops port by its environment. */
export function processorServices(
  config: Config,
  env: NodeJS.ProcessEnv,
  instances: { readonly count: number; readonly nameOf: (index: number, port: number) => string },
): readonly RoleProcess[] {
  return Array.from({ length: instances.count }, (_, index) => {
    const processorOpsPort = processorPort(config, index)
    const own = { ...env, PROCESSOR_OPS_PORT: String(processorOpsPort) }
    const name = instances.nameOf(index, processorOpsPort)
    return roleService('processor', { ...config, processorOpsPort }, own, name)
  })
}

export async function makeFleet(
  config: Config & Addresses,
  env: Environment,
  options: { sample: boolean },
): Promise<Fleet> {
  // Nobody but the broker itself uses the controller's port: any that is free will do.
  const [kafkaController = 0] = await freePorts(1)
  const ports: ServerPorts = {
    kafka: config.kafkaPort,
    kafkaController,
    questdbHttp: config.questdbHttpPort,
    questdbPg: config.questdbPgPort,
    postgres: config.postgresPort,
  }
  const { dataDir } = config
  const servers = await makeServers({ dataDir, ports, only: serversWanted(env) })
  // An api that is started anew goes on with the tokens that it gave before.
  const liveSecret = env['LIVE_SECRET'] ?? randomBytes(32).toString('hex')
  const childEnv = {
    ...env,
    ...addressEnv(servers, ports),
    LIVE_SECRET: liveSecret,
    METERS_FILE: config.metersFile,
  }
  const nameOf = (index: number) => (index === 0 ? 'processor' : `processor-${index + 1}`)
  const instances = { count: config.processorInstances, nameOf }
  const roles = ROLES.flatMap((role) =>
    role === 'processor'
      ? processorServices(config, childEnv, instances)
      : [roleService(role, config, childEnv)],
  )
  const sample = new RoleProcess({
    name: 'sample',
    dataDir,
    script: 'cli.ts',
    args: ['simulate', '--sample'],
    heapMb: SAMPLE_HEAP_MB,
    env: childEnv,
    claims: [],
    readyUrl: undefined,
  })
  const readyUrl = `http://${callable(config.bindAddress)}:${config.apiPort}/ready`
  return { servers, roles, sample: options.sample ? sample : undefined, readyUrl }
}
