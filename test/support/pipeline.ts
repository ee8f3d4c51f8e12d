import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Addresses } from '../../src/kernel/addresses.ts'
import type { Config } from '../../src/kernel/config.ts'
import { tickRecords } from '../../src/log/control.ts'
import { connectLog } from '../../src/log/connect.ts'
import type { Log } from '../../src/log/log.ts'
import { topicNames, topicSpecs } from '../../src/log/topics.ts'
import { loadCodecs } from '../../src/schemas/codecs.ts'
import { ensureTables } from '../../src/sinks/tables.ts'
import { testConfig } from './config.ts'
import type { Scope } from './database.ts'
import { dropTables, questdbQuery } from './questdb.ts'
import { environmentOf, onFreePorts, spawnRole } from './roles.ts'
import type { SpawnedRole } from './roles.ts'

const CLI = join(import.meta.dirname, '../../src/cli.ts')

export interface CliResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A bridge and processors as real processes, on topics and tables of their own. */
export interface PipelineUnderTest {
  readonly config: Config & Addresses
  readonly mqttUrl: string
  readonly bridge: SpawnedRole
  readonly processors: readonly SpawnedRole[]
  readonly log: Log
  /** Runs `meterloom` with the settings of this pipeline. */
  cli(...args: string[]): Promise<CliResult>
  /**
   * Waits until what was published so far is in QuestDB for every reader: restatements are due, the
   * processors have committed up to the end, and the tables have applied all.
   */
  settled(limitSeconds?: number): Promise<void>
}

export async function startPipeline(
  scope: Scope,
  options: { processors?: number; overrides?: Partial<Config>; env?: Record<string, string> } = {},
): Promise<PipelineUnderTest> {
  const config = await onFreePorts(testConfig(options.overrides))
  const log = await connectLog(config)
  const topics = topicNames(config.topicPrefix)
  const roles: SpawnedRole[] = []
  scope.after(async () => {
    // The roles go first: they would miss what is deleted under them.
    await Promise.all(roles.map((role) => role.kill()))
    await log.deleteTopics(Object.values(topics) as string[])
    await log.close()
    await dropTables(config)
  })
  await log.createTopics(topicSpecs(topics, { partitions: config.partitions, retentionBytes: -1 }))
  await ensureTables({ questdbUrl: config.questdbUrl, prefix: config.tablePrefix })
  const bridge = spawnRole(scope, 'bridge', config, options.env)
  const processors: SpawnedRole[] = []
  for (let i = 0; i < (options.processors ?? 1); i++) {
    const own = i === 0 ? config : await onFreePorts(config)
    processors.push(spawnRole(scope, 'processor', own))
  }
  roles.push(bridge, ...processors)
  await Promise.all(roles.map((role) => role.ready()))
  return {
    config,
    mqttUrl: `mqtt://127.0.0.1:${config.mqttPort}`,
    bridge,
    processors,
    log,
    cli: (...args) => runCli(config, args),
    settled: (limitSeconds = 60) => settled(config, log, limitSeconds),
  }
}

function runCli(config: Config & Addresses, args: readonly string[]): Promise<CliResult> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [CLI, ...args],
      { env: { ...process.env, ...environmentOf(config) }, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
        resolve({ code, stdout, stderr })
      },
    )
  })
}

/** What `PipelineUnderTest.settled` does, for processes that somebody else has started. */
export async function settled(
  config: Config & Addresses,
  log: Log,
  limitSeconds: number,
): Promise<void> {
  const topics = topicNames(config.topicPrefix)
  // Restatements wait for the next ten seconds of append time, and for a record that shows it.
  await sleep(10_100 - (Date.now() % 10_000))
  await tick(log, topics.readings)
  const group = `${config.topicPrefix}${config.processorGroup}`
  const deadlineMs = performance.now() + limitSeconds * 1_000
  await committedAll(log, group, topics.readings, deadlineMs)
  // Totals wait for the next second of append time between the stages.
  await sleep(1_000)
  await tick(log, topics.contributions)
  await committedAll(log, `${group}-totals`, topics.contributions, deadlineMs)
  while (!(await walApplied(config))) {
    if (performance.now() > deadlineMs) throw new Error('QuestDB has not applied all')
    await sleep(100)
  }
}

/** Waits until a group has committed up to the end of a topic as it is now. */
async function committedAll(
  log: Log,
  group: string,
  topic: string,
  deadlineMs: number,
): Promise<void> {
  const ends = await log.endOffsets(topic)
  for (;;) {
    const committed = await log.committed(group, topic)
    const behind = ends.filter((end, p) => (committed[p]?.offset ?? -1) < end).length
    if (behind === 0) return
    if (performance.now() > deadlineMs) {
      throw new Error(`not settled: ${behind} partitions of ${topic} are behind`)
    }
    await sleep(100)
  }
}

async function tick(log: Log, topic: string): Promise<void> {
  const codecs = await loadCodecs()
  const producer = await log.producer()
  const partitions = await log.partitionCount(topic)
  await producer.append(topic, tickRecords(codecs.control, 'test', partitions))
  await producer.close()
}

async function walApplied(config: Config & Addresses): Promise<boolean> {
  const rows = await questdbQuery(
    config.questdbUrl,
    `select name, suspended, writerTxn, sequencerTxn from wal_tables()`,
  )
  return rows
    .filter(([name]) => String(name).startsWith(config.tablePrefix))
    .every(([, , writer, sequencer]) => writer === sequencer)
}
