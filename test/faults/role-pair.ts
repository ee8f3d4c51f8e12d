import { meterKey } from '../../src/kernel/ids.ts'
import type { Addresses } from '../../src/kernel/addresses.ts'
import type { Config } from '../../src/kernel/config.ts'
import { connectLog } from '../../src/log/connect.ts'
import type { Log } from '../../src/log/log.ts'
import { topicNames, type Topics, topicSpecs } from '../../src/log/topics.ts'
import { loadRegistry } from '../../src/registry/files.ts'
import { loadCodecs } from '../../src/schemas/codecs.ts'
import type { Reading } from '../../src/schemas/records.ts'
import { ensureTables } from '../../src/sinks/tables.ts'
import { logRecords } from '../oracle/log-records.ts'
import { oracle } from '../oracle/oracle.ts'
import { compare, explain, storedRows } from '../oracle/stored.ts'
import { testConfig } from '../support/config.ts'
import type { Scope } from '../support/database.ts'
import { dropTables } from '../support/questdb.ts'
import { oracleRules } from '../support/registry.ts'
import { onFreePorts, spawnRole, type SpawnedRole } from '../support/roles.ts'
import { type Edit, editedEnvironment } from '../support/sabotage.ts'

const codecs = await loadCodecs()

/** Processors as processes, on the servers of the run, with a log that the test writes itself. */
export interface RolePair {
  readonly config: Config & Addresses
  readonly log: Log
  readonly topics: Topics
  readonly processors: readonly SpawnedRole[]
  append(readings: readonly Reading[]): Promise<void>
  committed(): Promise<readonly number[]>
  /** How the tables differ from what the oracle makes of the log, in words; '' where they agree. */
  differences(): Promise<string>
}

/** @param questdbUrls Where each of the processors finds QuestDB. */
export async function startProcessors(
  scope: Scope,
  questdbUrls: readonly string[],
  edits: readonly Edit[] = [],
): Promise<RolePair> {
  const config = testConfig()
  const topics = topicNames(config.topicPrefix)
  const log = await connectLog(config)
  const { partitions, questdbUrl, tablePrefix: prefix } = config
  const processors: SpawnedRole[] = []
  scope.after(async () => {
    await Promise.all(processors.map((one) => one.kill()))
    await log.deleteTopics(Object.values(topics) as string[])
    await log.close()
    await dropTables(config)
  })
  await log.createTopics(topicSpecs(topics, { partitions, retentionBytes: -1 }))
  await ensureTables({ questdbUrl, prefix })
  for (const url of questdbUrls) {
    const own = await onFreePorts({ ...config, questdbUrl: url })
    processors.push(spawnRole(scope, 'processor', own, editedEnvironment(edits)))
  }
  await Promise.all(processors.map((one) => one.ready()))
  const producer = await log.producer()
  scope.after(() => producer.close())
  return {
    config,
    log,
    topics,
    processors,
    async append(readings) {
      const records = readings.map((reading) => {
        const key = Buffer.from(meterKey(reading.tenant, reading.meterId))
        return { key, value: codecs.reading.encode(reading) }
      })
      await producer.append(topics.readings, records)
    },
    async committed() {
      const group = `${config.topicPrefix}${config.processorGroup}`
      const committed = await log.committed(group, topics.readings)
      return committed.map(({ offset }) => Math.max(0, offset))
    },
    async differences() {
      const records = await logRecords(log, topics.readings)
      const expected = oracle(records, oracleRules(await loadRegistry(config)))
      return explain(compare(expected, await storedRows(questdbUrl, prefix)))
    },
  }
}
