import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { meterKey } from '../../src/kernel/ids.ts'
import { MICROS_PER_MILLI } from '../../src/kernel/time.ts'
import { connectLog } from '../../src/log/connect.ts'
import { topicNames, topicSpecs } from '../../src/log/topics.ts'
import { startProcessor } from '../../src/roles/processor.ts'
import { loadCodecs } from '../../src/schemas/codecs.ts'
import { makePastTopic } from '../log/past-topic.ts'
import { dropTables } from '../sinks/support.ts'
import { testConfig } from '../support/config.ts'
import { aReading } from '../support/readings.ts'
import { startRoleInProcess } from '../support/roles.ts'

const DAY_MILLIS = 86_400_000
const codecs = await loadCodecs()

/** A log with a reading of `silent` of two days ago, and one of `heard` of now. */
async function given(t: TestContext) {
  const config = testConfig({ partitions: 1 })
  const topics = topicNames(config.topicPrefix)
  const log = await connectLog(config)
  t.after(async () => {
    await log.deleteTopics(Object.values(topics) as string[])
    await log.close()
    await dropTables(config.tablePrefix)
  })
  const heardAgoMillis = [
    ['silent', 2 * DAY_MILLIS],
    ['heard', 0],
  ] as const
  const records = heardAgoMillis.map(([meter, agoMillis]) => {
    const appendMillis = Date.now() - agoMillis
    const reading = aReading(meter, 'power_w', appendMillis * MICROS_PER_MILLI, 100)
    const key = meterKey(reading.tenant, reading.meterId)
    return { key, value: codecs.reading.encode(reading), appendMillis }
  })
  const specs = topicSpecs(topics, config)
  const spec = specs.find(({ topic }) => topic === topics.readings)!
  await makePastTopic(config.kafkaBrokers, spec, records)
  return config
}

for (const [days, series] of [
  [1, 1],
  [3, 2],
] as const) {
  test(`SERIES_RETENTION_DAYS=${days}: ${series} of two series are remembered`, async (t) => {
    const config = { ...(await given(t)), seriesRetentionDays: days }
    const { metrics } = await startRoleInProcess(t, 'processor', startProcessor, config)
    const valueOf = async (name: string) => {
      const found = new RegExp(`^meterloom_engine_${name} (\\d+)`, 'm').exec(
        await metrics.metrics(),
      )
      return Number(found?.[1])
    }
    const deadlineMs = performance.now() + 20_000
    while ((await valueOf('records_total')) < 2 && performance.now() < deadlineMs) await sleep(50)
    assert.equal(await valueOf('series'), series)
    assert.equal(await valueOf('meters'), 2, 'meters keep their newest time')
  })
}
