import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Addresses, withAddresses } from '../../src/kernel/addresses.ts'
import type { Config } from '../../src/kernel/config.ts'
import { connectLog } from '../../src/log/connect.ts'
import type { Log } from '../../src/log/log.ts'
import { topicNames, topicSpecs } from '../../src/log/topics.ts'
import { startProcessor } from '../../src/roles/processor.ts'
import { loadCodecs } from '../../src/schemas/codecs.ts'
import { verify } from '../../src/tools/verify.ts'
import { reportLines } from '../../src/tools/verify/report.ts'
import { storedTotals, totalsDifferences, totalsQuery } from '../oracle/stored-totals.ts'
import { oracleTotals } from '../oracle/totals.ts'
import { faultProxy } from '../sinks/fault-proxy.ts'
import { dropTables } from '../sinks/support.ts'
import { testConfig } from '../support/config.ts'
import { questdbQuery } from '../support/questdb.ts'
import { startRoleInProcess } from '../support/roles.ts'
import { roughFleet } from '../support/rough-fleet.ts'

const codecs = await loadCodecs()

interface Given {
  readonly config: Config & Addresses
  readonly log: Log
  append(seed: number): Promise<void>
}

async function given(t: TestContext): Promise<Given> {
  const config = testConfig()
  const topics = topicNames(config.topicPrefix)
  const log = await connectLog(config)
  const { partitions } = config
  await log.createTopics(topicSpecs(topics, { partitions, retentionBytes: -1 }))
  const producer = await log.producer()
  t.after(async () => {
    await producer.close()
    await log.deleteTopics(Object.values(topics) as string[])
    await log.close()
    await dropTables(config.tablePrefix)
  })
  return {
    config,
    log,
    async append(seed) {
      const fleet = roughFleet({ seed, meters: 8, minutes: 120, beyondHorizon: true })
      const records = fleet.map(({ reading }) => {
        const key = Buffer.from(`${reading.tenant}/${reading.meterId}`)
        return { key, value: codecs.reading.encode(reading) }
      })
      await producer.append(topics.readings, records)
    },
  }
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 20_000
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`not within 20 s: ${what}`)
    await sleep(25)
  }
}

async function assertAgrees({ config, log }: Given): Promise<void> {
  const { topicPrefix, processorGroup, questdbUrl, tablePrefix: prefix } = config
  const topics = topicNames(topicPrefix)
  const group = `${topicPrefix}${processorGroup}`
  const report = await verify({ log, codecs, topics, group, questdbUrl, prefix })
  assert.equal(report.agrees, true, reportLines(report).join('\n'))
  assert.ok(report.log.readings > 0)
}

/** Both owners' contributions are in the totals, and each once. */
async function assertTotals({ config, log }: Given): Promise<void> {
  const { contributions } = topicNames(config.topicPrefix)
  const tick = { kind: 'tick', source: 'test', table: null, offset: null, body: null }
  const value = codecs.control.encode(tick)
  const producer = await log.producer()
  let found: readonly string[] = []
  for (let tries = 0; tries < 40; tries++) {
    // Changed totals come out with the next second of append time.
    const ticks = [0, 1, 2].map((partition) => ({ key: null, value, partition }))
    await producer.append(contributions, ticks)
    await sleep(1_000)
    const rows = storedTotals(
      await questdbQuery(config.questdbUrl, totalsQuery(config.tablePrefix)),
    )
    const expected = await oracleTotals(log, contributions)
    found = expected.size > 50 ? totalsDifferences(expected, rows) : ['too few totals']
    if (found.length === 0) break
  }
  await producer.close()
  assert.deepEqual(found, [])
}

test('processors share the partitions, and one that stops leaves them to the other', async (t) => {
  const scene = await given(t)
  const first = await startRoleInProcess(t, 'processor', startProcessor, scene.config)
  const second = await startRoleInProcess(t, 'processor', startProcessor, scene.config)
  const owned = async ({ metrics }: typeof first) => {
    const found = /^meterloom_engine_partitions (\d+)/m.exec(await metrics.metrics())
    return Number(found?.[1])
  }
  await until('shared', async () => {
    const counts = [await owned(first), await owned(second)]
    return counts[0]! > 0 && counts[1]! > 0 && counts[0]! + counts[1]! === 3
  })
  await scene.append(1)
  await assertAgrees(scene)
  await first.running.stop()
  await scene.append(2)
  await assertAgrees(scene)
  assert.equal(await owned(second), 3)
  await assertTotals(scene)
  await until('ready', () => second.running.readiness().ready)
  assert.deepEqual([first.failures, second.failures], [[], []])
})

test('a processor whose QuestDB hangs stops in time, and its successor goes on', async (t) => {
  const scene = await given(t)
  const proxy = await faultProxy(t, scene.config.questdbUrl)
  const config = { ...scene.config, questdbUrl: proxy.url }
  const { running, failures } = await startRoleInProcess(t, 'processor', startProcessor, config)
  await until('ready', () => running.readiness().ready)
  for (let i = 0; i < 100; i++) proxy.faults.push('hang')
  await scene.append(3)
  await until('a write hangs', () => proxy.seen.writes > 0)

  const startedMs = performance.now()
  await running.stop()
  const tookMs = performance.now() - startedMs
  assert.ok(tookMs < 9_000, `it took ${Math.round(tookMs)} ms to stop`)
  assert.deepEqual(failures, [], 'what is cut off by stopping is no failure')
  proxy.faults.length = 0
  await startRoleInProcess(t, 'processor', startProcessor, config)
  await assertAgrees(scene)
})

test('a mistake in a file or a table ends the start, with nothing left open', async (t) => {
  const { config } = await given(t)
  const start = (overrides: Partial<Config>) =>
    startRoleInProcess(t, 'processor', startProcessor, withAddresses({ ...config, ...overrides }))
  await assert.rejects(start({ metersFile: '/nowhere/meters.json' }), /METERS_FILE|nowhere/)
  await assert.rejects(start({ tablePrefix: 'no-prefix' }), { code: 'sinks.badPrefix' })
  await assert.rejects(start({ partitions: 4 }), { code: 'log.partitionCount' })
})
