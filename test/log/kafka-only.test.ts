import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import { hasCode } from '../../src/kernel/errors.ts'
import { connectLog } from '../../src/log/connect.ts'
import {
  aMember,
  aTopic,
  append,
  finallyDo,
  numbered,
  readAll,
  until,
} from '../contract/log-support.ts'
import { kafkaBrokers, kafkaFeatures, openKafka } from './kafka-features.ts'

// What only Kafka has: settings, brokers that are away, connections.

const name = () => `log-test-${randomBytes(5).toString('hex')}`
const features = kafkaFeatures('platformatic')

test('a topic that would lose history is refused; other settings are told', async (t) => {
  const told: string[] = []
  const log = openKafka('platformatic', (message) => told.push(message))
  finallyDo(t, () => log.close())
  const topic = name()
  const make = (settings: Record<string, string>) =>
    log.createTopics([{ topic, partitions: 1, settings }])
  finallyDo(t, () => log.deleteTopics([topic]))
  await make({ 'message.timestamp.type': 'CreateTime', 'retention.ms': '1000' })
  assert.deepEqual(told, [])

  await make({ 'retention.ms': '2000' })
  assert.equal(told.length, 1)
  assert.match(told[0]!, /retention\.ms=1000, not 2000/)
  await assert.rejects(
    make(features.settings),
    (error) =>
      hasCode(error, 'log.topicSetting') &&
      error.message.includes(`topic ${topic} has message.timestamp.type=CreateTime`),
  )
})

test('topics get the settings of the design', async (t) => {
  const log = openKafka('platformatic')
  finallyDo(t, () => log.close())
  const topic = await aTopic(t, features, log)
  const old = Buffer.from('old')
  await append(log, topic, [{ key: null, value: old }])
  const [record] = await readAll(log, { topic, partition: 0 })
  assert.ok(Math.abs(record!.appendMillis - Date.now()) < 60_000)
  // Made again as they are, there is nothing to tell.
  const told: string[] = []
  const other = openKafka('platformatic', (message) => told.push(message))
  finallyDo(t, () => other.close())
  await other.createTopics([{ topic, partitions: 1, settings: features.settings }])
  assert.deepEqual(told, [])
})

test('a topic that grew ends the subscription: keys would have moved', async (t) => {
  const log = openKafka('platformatic')
  finallyDo(t, () => log.close())
  const topic = await aTopic(t, features, log, 1)
  const first = await aMember(t, log, { topic, group: topic })
  const kafka = new kafkajs.Kafka({ brokers: kafkaBrokers(), logLevel: kafkajs.logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  await admin.createPartitions({ topicPartitions: [{ topic, count: 4 }] })
  await admin.disconnect()
  // A new member makes the group look at its topics; the first one cannot but get a new partition.
  const other = openKafka('platformatic')
  finallyDo(t, () => other.close())
  while ((await other.partitionCount(topic)) < 4) await sleep(50)
  await aMember(t, other, { topic, group: topic })
  await until('the end', () => first.failures.length > 0)
  assert.ok(hasCode(first.failures[0], 'log.partitionCount'))
})

test('without an address, or with one that does not answer, that is said', async () => {
  await assert.rejects(
    connectLog({ kafkaBrokers: undefined }),
    (error) => hasCode(error, 'log.unavailable') && /KAFKA_BROKERS/.test(error.message),
  )
  // Port 9 is discard's: nobody listens there.
  const log = await connectLog({ kafkaBrokers: ' 127.0.0.1:9 ,' })
  const away = (error: unknown) =>
    (hasCode(error, 'log.unavailable') || hasCode(error, 'log.appendFailed')) && error.retryable
  const producer = await log.producer()
  await Promise.all([
    assert.rejects(
      log.endOffsets('t'),
      (error) => away(error) && /127\.0\.0\.1:9 does not/.test(String(error)),
    ),
    assert.rejects(producer.append('t', numbered('a', 1)), away),
  ])
  await log.close()
})

test('a closed log leaves no connection open', async () => {
  const sockets = () =>
    process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length
  await until('connections of earlier tests to end', () => sockets() === 0)
  for (const producer of ['platformatic', 'kafkajs'] as const) {
    const log = openKafka(producer)
    const topic = name()
    await log.createTopics([{ topic, partitions: 1, settings: features.settings }])
    const open = await log.producer()
    await open.append(topic, numbered('a', 2))
    await log.subscribe({
      group: topic,
      topics: [topic],
      onAssigned: () => Promise.resolve(new Map()),
      onRevoked: () => Promise.resolve(),
      onBatch: () => Promise.resolve(),
      onFailed: (error) => {
        throw error
      },
    })
    assert.equal((await log.readEnd(topic, 0, 1)).count, 1)
    await log.deleteTopics([topic])
    assert.notEqual(sockets(), 0)
    // Closes what it opened too.
    await log.close()
    await log.close()
    await until(`the connections through ${producer} to end`, () => sockets() === 0, 1_000)
    await assert.rejects(log.producer(), (error) => hasCode(error, 'log.closed'))
  }
})

test('the one warning that kafkajs causes is left out, and no other', async () => {
  const seen: string[] = []
  const listen = ({ name: kind }: Error) => seen.push(kind)
  process.on('warning', listen)
  process.emitWarning('1 is a negative number', 'TimeoutNegativeWarning')
  process.emitWarning('something else', 'OtherWarning')
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', listen)
  assert.deepEqual(
    seen.filter((kind) => kind !== 'ExperimentalWarning'),
    ['OtherWarning'],
  )
})

test('topics that were made this moment can be asked for their offsets', async (t) => {
  // Their leaders are still being told: in most rounds one says that it is none.
  for (let round = 0; round < 3; round += 1) {
    const log = openKafka('platformatic')
    finallyDo(t, () => log.close())
    const topics = Array.from({ length: 4 }, name)
    await log.createTopics(topics.map((topic) => ({ topic, partitions: 12, settings: {} })))
    finallyDo(t, () => log.deleteTopics(topics))
    const ends = await Promise.all(topics.map((topic) => log.endOffsets(topic)))
    assert.deepEqual(ends, Array(4).fill(Array(12).fill(0)))
  }
})
