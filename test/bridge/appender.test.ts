import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Append, Appender, bytesOf } from '../../src/bridge/appender.ts'
import { LIMITS } from '../../src/kernel/limits.ts'
import type { OutgoingRecord } from '../../src/log/log.ts'
import { ForcedProducer, until } from './rig.ts'

const topics = { readings: 'readings', deadLetters: 'dead-letters' }

function record(value: string | Buffer): OutgoingRecord {
  return { key: Buffer.from('demo/m-1'), value: Buffer.from(value) }
}

function open(producer = new ForcedProducer()) {
  const outcomes: unknown[] = []
  const appender = new Appender({
    producer,
    topics,
    onAppended: (_seconds, error) => outcomes.push(error),
  })
  const done: { name: string; error: unknown }[] = []
  const add = (
    name: string,
    readings: readonly OutgoingRecord[],
    deadLetters: readonly OutgoingRecord[] = [],
  ) => {
    const bytes = [...readings, ...deadLetters].reduce((sum, each) => sum + bytesOf(each), 0)
    const append: Append = {
      readings,
      deadLetters,
      bytes,
      done: (error) => done.push({ name, error }),
    }
    appender.add(append)
  }
  return { producer, appender, outcomes, done, add }
}

test('a message is done when all of its records are in both topics', async () => {
  const { producer, appender, done, add } = open()
  producer.mode = 'hold'
  add('a', [record('1'), record('2')], [record('bad')])
  await until('both appends', () => producer.heldCalls === 2)
  assert.deepEqual(done, [])
  producer.release()
  await appender.idle()
  assert.deepEqual(done, [{ name: 'a', error: undefined }])
  assert.deepEqual(producer.values('readings'), ['1', '2'])
  assert.deepEqual(producer.values('dead-letters'), ['bad'])
})

test('no request is longer than Kafka takes, one message alone included', async () => {
  const { producer, appender, done, add } = open()
  const lengths: number[] = []
  const append = producer.append.bind(producer)
  producer.append = (topic, records) => {
    lengths.push(records.reduce((sum, each) => sum + bytesOf(each), 0))
    return append(topic, records)
  }
  const big = Array.from({ length: 60 }, (_, i) => record(Buffer.alloc(64 * 1024, i)))
  for (let i = 0; i < 40; i += 1) {
    if (i === 20) add('big', big)
    add(`m${i}`, [record(Buffer.alloc(60 * 1024, i))])
  }
  await appender.idle()
  assert.equal(done.length, 41)
  assert.equal(producer.records.length, 100)
  assert.ok(Math.max(...lengths) <= LIMITS.bridgeAppendBytesMax, `${Math.max(...lengths)} bytes`)
  const order = producer.records.map((each) => big.indexOf(each.record))
  assert.deepEqual(
    order.slice(20, 80),
    big.map((_, i) => i),
    'nothing comes between the parts of the cut message',
  )
})

test('a refusal fails its own messages; what came later is asked again after a wait', async () => {
  const { producer, appender, outcomes, done, add } = open()
  producer.mode = 'refuse'
  add('a', [record('1')])
  await until('the refusal', () => done.length === 1)
  assert.match(String(done[0]?.error), /forced by the test/)
  producer.mode = 'take'
  const startedMs = performance.now()
  add('b', [record('2')])
  await appender.idle()
  assert.deepEqual(done[1], { name: 'b', error: undefined })
  assert.ok(performance.now() - startedMs >= LIMITS.bridgeAppendRetryMsMin * 0.9)
  assert.equal(outcomes.length, 2)
})

test('in a hurry, what waits is refused and Kafka is not asked again', async () => {
  const { producer, appender, done, add } = open()
  producer.mode = 'refuse'
  add('a', [record('1')])
  await until('the refusal', () => done.length === 1)
  add('b', [record('2')])
  await sleep(10)
  appender.hurry()
  await appender.idle()
  assert.equal(done[1]?.name, 'b')
  assert.match(String(done[1].error), /the bridge stops/)
  assert.equal(producer.calls, 1)
})
