import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { embeddedAddresses } from '../../src/kernel/addresses.ts'
import { freePorts, makeServers, type Server } from '../../infra/servers/index.ts'
import { startCluster } from '../support/own-kafka.ts'
import { ROLLOVER_AT } from './input.ts'

/** A Kafka and a QuestDB that are a run's own, since they are killed and filled up. */
export interface Stage {
  /** One, or several that keep copies of each other's partitions. */
  readonly brokers: readonly Server[]
  readonly questdb: Server
  /** Where they are, and what the fleet is. */
  readonly settings: {
    readonly kafkaBrokers: string
    readonly questdbUrl: string
    readonly metersFile: string
    readonly channelsFile: string
  }
  /** What the servers keep lies here. */
  readonly dataDir: string
  close(): Promise<void>
}

const METERS = {
  defaults: { zone: 'Europe/Berlin', disorderSeconds: 120, silentAfterIntervals: 3 },
  meters: [
    { tenant: 'demo', meterId: 'rough-0', expectedIntervalSeconds: 60 },
    { tenant: 'demo', meterId: 'rough-1', disorderSeconds: 60 },
  ],
}
const CHANNELS_FILE = join(import.meta.dirname, '../../config/channels.json')

interface Channels {
  readonly channels: readonly { readonly channel: string; readonly kind: string }[]
}

/** The product's own channels, with registers that begin again at 0. */
function channelsWithRollover(): Channels {
  const { channels } = JSON.parse(readFileSync(CHANNELS_FILE, 'utf8')) as Channels
  return {
    channels: channels.map((line) =>
      line.channel === 'energy_register_wh' ? { ...line, rolloverAt: ROLLOVER_AT } : line,
    ),
  }
}

export interface StageOptions {
  /** The folder for what the servers keep; by default a temporary one. */
  readonly dataDir?: string
  readonly brokers?: number
}

export async function openStage({
  dataDir: given,
  brokers = 1,
}: StageOptions = {}): Promise<Stage> {
  const dataDir = given ?? (await mkdtemp(join(tmpdir(), 'meterloom-faults-')))
  const [questdbHttp = 0, questdbPg = 0] = await freePorts(2)
  const ports = { kafka: 0, kafkaController: 0, questdbHttp, questdbPg, postgres: 0 }
  const [questdb] = await makeServers({ dataDir, ports, only: ['questdb'] })
  const metersFile = join(dataDir, 'config/meters.json')
  const channelsFile = join(dataDir, 'config/channels.json')
  mkdirSync(join(dataDir, 'config'), { recursive: true })
  writeFileSync(metersFile, JSON.stringify(METERS))
  writeFileSync(channelsFile, JSON.stringify(channelsWithRollover()))
  const remove = () => rmSync(dataDir, { recursive: true, force: true })
  // What a run that is broken off leaves goes with it.
  if (given === undefined) process.once('exit', remove)
  const [kafka, others] = await Promise.allSettled([
    startCluster(brokers, dataDir),
    questdb!.start(),
  ])
  const close = async () => {
    await Promise.all([kafka.status === 'fulfilled' && kafka.value.stop(), questdb!.stop()])
    // Of a disk its owner disposes.
    if (given === undefined) remove()
  }
  if (kafka.status === 'rejected' || others.status === 'rejected') {
    await close()
    throw kafka.status === 'rejected' ? kafka.reason : (others as PromiseRejectedResult).reason
  }
  const { questdbUrl } = embeddedAddresses(ports)
  const settings = { kafkaBrokers: kafka.value.kafkaBrokers, questdbUrl, metersFile, channelsFile }
  return { brokers: kafka.value.servers, questdb: questdb!, settings, dataDir, close }
}
