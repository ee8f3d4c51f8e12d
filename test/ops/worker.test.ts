import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectLog } from '../../src/log/connect.ts'
import { topicNames, topicSpecs } from '../../src/log/topics.ts'
import { lagOf } from '../../src/roles/lag-watch.ts'
import { testConfig } from '../support/config.ts'
import { testDatabase } from '../support/database.ts'
import { onFreePorts, spawnRole } from '../support/roles.ts'

async function metricsOf(opsUrl: string): Promise<string> {
  return (await fetch(`${opsUrl}/metrics`)).text()
}

test('one of two workers watches the lag; when it is killed the other does', async (t) => {
  const config = testConfig({ databaseUrl: await testDatabase(t) })
  const log = await connectLog(config)
  const topics = topicNames(config.topicPrefix)
  t.after(async () => {
    await log.deleteTopics(Object.values(topics))
    await log.close()
  })
  await log.createTopics(topicSpecs(topics, config))
  const producer = await log.producer()
  const value = Buffer.from('not read by anyone')
  const record = { key: null, value, partition: 1 }
  await producer.append(topics.readings, [record, record, record])
  await producer.close()
  const group = `${config.topicPrefix}${config.processorGroup}`
  assert.deepEqual(await lagOf(log, group, topics.readings), [0, 3, 0])

  const first = spawnRole(t, 'worker', await onFreePorts(config))
  await first.ready()
  const second = spawnRole(t, 'worker', await onFreePorts(config))
  await second.ready()
  const lag = `meterloom_consumer_lag_records{group="${group}",topic="${topics.readings}"`
  const told = await metricsOf(first.opsUrl)
  assert.ok(told.includes(`${lag},partition="1"} 3`), told)
  assert.match(told, /^meterloom_worker_lease_held 1$/m)
  const standingBy = await metricsOf(second.opsUrl)
  assert.ok(!standingBy.includes(lag), 'who stands by keeps no gauge')
  assert.match(standingBy, /^meterloom_worker_lease_held 0$/m)

  await first.kill()
  const deadlineMs = performance.now() + 8_000
  while (!(await metricsOf(second.opsUrl)).includes(`${lag},partition="1"} 3`)) {
    assert.ok(performance.now() < deadlineMs, 'the second does not take over')
    await sleep(100)
  }
  assert.equal(await second.stop(), 0)
})
