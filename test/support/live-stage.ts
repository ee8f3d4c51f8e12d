import type { TestContext } from 'node:test'
import { startApi } from '../../src/roles/api.ts'
import type { Addresses } from '../../src/kernel/addresses.ts'
import type { Config } from '../../src/kernel/config.ts'
import { meterKey } from '../../src/kernel/ids.ts'
import { connectLog } from '../../src/log/connect.ts'
import type { Log, OutgoingRecord, Producer } from '../../src/log/log.ts'
import { encodePosition } from '../../src/log/position.ts'
import { SOURCE_HEADER, type Topics, topicNames, topicSpecs } from '../../src/log/topics.ts'
import { type Codecs, loadCodecs } from '../../src/schemas/codecs.ts'
import type { AnomalyRecord, Reading, WindowRecord } from '../../src/schemas/records.ts'
import { ensureTables } from '../../src/sinks/tables.ts'
import { testConfig } from './config.ts'
import { LiveClient } from './live-client.ts'
import { dropTables } from './questdb.ts'
import { onFreePorts, startRoleInProcess } from './roles.ts'

export const SECRET = 'of the tests'

/** Topics and tables of a test's own, what writes to them, and api processes that show them. */
export interface LiveStage {
  readonly config: Config & Addresses
  readonly log: Log
  readonly topics: Topics
  readonly codecs: Codecs
  /** The address of an api in this process. */
  api(): Promise<string>
  client(apiUrl: string): Promise<LiveClient>
  readings(readings: readonly Reading[]): Promise<void>
  /** With the source offset of each, as a processor writes them. */
  anomalies(records: readonly (readonly [source: number, AnomalyRecord])[]): Promise<void>
  windows(records: readonly WindowRecord[]): Promise<void>
}

export async function liveStage(
  t: TestContext,
  overrides: Partial<Config> = {},
): Promise<LiveStage> {
  const config = testConfig({ liveSecret: SECRET, ...overrides })
  const log = await connectLog(config)
  const topics = topicNames(config.topicPrefix)
  const codecs = await loadCodecs()
  await log.createTopics(topicSpecs(topics, { partitions: config.partitions, retentionBytes: -1 }))
  await ensureTables({ questdbUrl: config.questdbUrl, prefix: config.tablePrefix })
  const producer = await log.producer()
  const opened: { close(): Promise<void> }[] = []
  const clients: LiveClient[] = []
  t.after(async () => {
    for (const client of clients) client.cut()
    await Promise.all(opened.map((one) => one.close()))
    await producer.close()
    await log.deleteTopics(Object.values(topics) as string[])
    await log.close()
    await dropTables(config)
  })
  const append = (topic: string, records: readonly OutgoingRecord[]) =>
    appendAll(producer, topic, records)
  return {
    ...{ config, log, topics, codecs },
    async api() {
      const own = await onFreePorts(config)
      const { running } = await startRoleInProcess(t, 'api', startApi, own)
      opened.push({ close: () => running.stop() })
      const url = `http://127.0.0.1:${own.apiPort}`
      await untilReady(() => running.readiness().ready)
      return url
    },
    async client(apiUrl) {
      const client = await LiveClient.open(apiUrl)
      clients.push(client)
      return client
    },
    readings: (readings) =>
      append(
        topics.readings,
        readings.map((one) => ({ key: keyOf(one), value: codecs.reading.encode(one) })),
      ),
    anomalies: (records) =>
      append(
        topics.anomalies,
        records.map(([offset, one]) => ({
          key: keyOf(one),
          value: codecs.anomaly.encode(one),
          headers: {
            [SOURCE_HEADER]: encodePosition({ epoch: 0, partition: 0, offset, index: 0 }),
          },
        })),
      ),
    windows: (records) =>
      append(
        topics.windows,
        records.map((one) => ({ key: keyOf(one), value: codecs.window.encode(one) })),
      ),
  }
}

async function appendAll(producer: Producer, topic: string, records: readonly OutgoingRecord[]) {
  for (let from = 0; from < records.length; from += 1_000) {
    await producer.append(topic, records.slice(from, from + 1_000))
  }
}

async function untilReady(look: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 20_000
  while (!look()) {
    if (performance.now() > deadlineMs) throw new Error('the api is not ready')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const keyOf = ({ tenant, meterId }: { tenant: string; meterId: string }) =>
  Buffer.from(meterKey(tenant, meterId))

const QUARTER = 900_000_000
export const BEGIN = Date.UTC(2026, 10, 20) * 1_000

/** The `n`th quarter hour's verdict. */
export function anAnomaly(meterId: string, n: number, more: Partial<AnomalyRecord> = {}) {
  const start = BEGIN + n * QUARTER
  const record: AnomalyRecord = {
    tenant: 'demo',
    meterId,
    channel: 'power_w',
    width: '15m',
    kind: 'energy_spike',
    start,
    end: start + QUARTER,
    score: 0.75,
    pctChange: 120.5,
    expected: 100,
    lower: 50,
    upper: 150,
    value: 220.5,
    severity: 'high',
    state: 'active',
    run: 1,
    revision: n,
    ...more,
  }
  return record
}

export function aWindow(meterId: string, n: number, more: Partial<WindowRecord> = {}) {
  const start = BEGIN + n * QUARTER
  const record: WindowRecord = {
    tenant: 'demo',
    meterId,
    channel: 'power_w',
    width: '15m',
    start,
    end: start + QUARTER,
    count: 15,
    expected: 15,
    completeness: 1,
    sum: 1_500,
    min: 90,
    max: 110,
    mean: 100,
    first: 95,
    last: 105,
    stddev: 2.5,
    energyWh: null,
    estimated: false,
    revision: n,
    ...more,
  }
  return record
}
