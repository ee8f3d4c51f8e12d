import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Row } from '../../src/engine/memory-tables.ts'
import { connectLog } from '../../src/log/connect.ts'
import { tickRecords } from '../../src/log/control.ts'
import type { OutgoingRecord } from '../../src/log/log.ts'
import { topicNames, topicSpecs } from '../../src/log/topics.ts'
import { loadRegistry } from '../../src/registry/files.ts'
import { startProcessor } from '../../src/roles/processor.ts'
import { startWorker } from '../../src/roles/worker.ts'
import { loadCodecs } from '../../src/schemas/codecs.ts'
import { TABLES } from '../../src/schemas/tables.ts'
import { testConfig } from '../support/config.ts'
import { testDatabase } from '../support/database.ts'
import { drive } from '../support/drive.ts'
import { assertSame, readingsOf, split } from '../support/late-meter.ts'
import { dropTables, questdbQuery } from '../support/questdb.ts'
import { startRoleInProcess } from '../support/roles.ts'

const codecs = await loadCodecs()
const SPEC = TABLES.windows

// Goal: hours of a meter come a day late; the processor asks for repair, the worker recomputes from
// QuestDB, and the windows in QuestDB become what they are where nothing is late.
test('windows of a backlog beyond the horizon are repaired from the raw rows', async (t) => {
  const config = testConfig({ databaseUrl: await testDatabase(t) })
  const topics = topicNames(config.topicPrefix)
  const log = await connectLog(config)
  await log.createTopics(topicSpecs(topics, { partitions: config.partitions, retentionBytes: -1 }))
  const producer = await log.producer()
  t.after(async () => {
    await producer.close()
    await log.deleteTopics(Object.values(topics) as string[])
    await log.close()
    await dropTables(config)
  })
  const all = readingsOf(7, 'late-1')
  const straight = drive({ registry: await loadRegistry(config) })
  straight.append(all)
  await straight.run()
  straight.advanceAppendTime(20 * 1_000_000)
  await straight.run()

  const encoded = (readings: typeof all): OutgoingRecord[] =>
    readings.map((reading) => ({
      key: Buffer.from(`${reading.tenant}/${reading.meterId}`),
      value: codecs.reading.encode(reading),
    }))
  const ticks = tickRecords(codecs.control, 'test', config.partitions)
  const { inTime, late } = split(all)
  await startRoleInProcess(t, 'processor', startProcessor, config)
  const worker = await startRoleInProcess(t, 'worker', startWorker, config)
  await producer.append(topics.readings, encoded(inTime))
  await producer.append(topics.readings, encoded(late))

  const deadlineMs = performance.now() + 90_000
  const expected = straight.rows('windows')
  for (;;) {
    // Time goes on: requests are told, and restatements come out, every ten seconds.
    await sleep(2_000)
    await producer.append(topics.readings, ticks)
    const metrics = await worker.metrics.metrics()
    const repaired = Number(
      /^meterloom_repairs_total\{outcome="repaired"\} (\d+)/m.exec(metrics)?.[1],
    )
    const rows = await windowsOf(config)
    if (repaired >= 2) {
      try {
        assertSame(rows, expected)
        break
      } catch (error) {
        if (performance.now() > deadlineMs) throw error
      }
    }
    assert.ok(performance.now() < deadlineMs, `only ${repaired} repairs within 90 s`)
  }
  assert.deepEqual(worker.failures, [])
})

async function windowsOf(config: { questdbUrl: string; tablePrefix: string }): Promise<Row[]> {
  const columns = SPEC.columns.map(({ name }) => (name === 'ts' ? 'cast(ts as long)' : name))
  const rows = await questdbQuery(
    config.questdbUrl,
    `select ${columns.join(', ')} from '${config.tablePrefix}windows'`,
  )
  return rows.map((row) =>
    Object.fromEntries(
      SPEC.columns.map(({ name }, i) => [name, (row[i] ?? NaN) as string | number | boolean]),
    ),
  )
}
