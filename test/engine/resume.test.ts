import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HandClock } from '../../src/engine/driver.ts'
import { lastPosition, ResumeFilter, resumeFilters } from '../../src/engine/resume.ts'
import { MemoryLog } from '../../src/log/memory.ts'
import { encodePosition, SeenPositions } from '../../src/log/position.ts'
import { SOURCE_HEADER } from '../../src/log/topics.ts'

const TOPIC = 'windows'
const OUTPUT = { topic: TOPIC, kind: 'log' } as const

/** A record that the input partition gave to its output of the same number. */
function record(partition: number, offset: number, index = 0, epoch = 0) {
  const position = encodePosition({ epoch, partition, offset, index })
  const value = Buffer.from(`${partition}:${offset}:${index}`)
  return { key: null, value, partition, headers: { [SOURCE_HEADER]: position } }
}

async function aLog(partitions = 2) {
  const log = new MemoryLog(new HandClock())
  await log.createTopics([{ topic: TOPIC, partitions, settings: {} }])
  return log
}

const source = { epoch: 0, partition: 1, committed: 10, partitions: 2 }

test('the last position is that of the newest record that is not committed', async () => {
  const log = await aLog()
  assert.equal(await lastPosition(log, TOPIC, 1, source), undefined)
  for (let offset = 0; offset < 10; offset++) log.appendNow(TOPIC, [record(1, offset)])
  assert.equal(await lastPosition(log, TOPIC, 1, source), undefined, 'all of it is committed')
  log.appendNow(TOPIC, [record(1, 12), record(1, 12, 1)])
  const last = { epoch: 0, partition: 1, offset: 12, index: 1 }
  assert.deepEqual(await lastPosition(log, TOPIC, 1, source), last)
  assert.equal(await lastPosition(log, TOPIC, 1, { ...source, epoch: 1 }), undefined)
})

test('it is found behind any number of records of other partitions', async () => {
  const log = await aLog()
  log.appendNow(TOPIC, [record(1, 3), record(1, 15)])
  const others = Array.from({ length: 5_000 }, (_, i) => ({ ...record(0, i), partition: 1 }))
  log.appendNow(TOPIC, others)
  const found = await lastPosition(log, TOPIC, 1, source)
  assert.equal(found?.offset, 15)
})

test('what a stale owner appended behind it does not hide it', async () => {
  const log = await aLog()
  log.appendNow(TOPIC, [record(1, 9), record(1, 11), record(1, 14), record(1, 11)])
  const found = await lastPosition(log, TOPIC, 1, source)
  assert.equal(found?.offset, 14)
})

test('a task that resumes appends only what is past the end of its output', async () => {
  const log = await aLog()
  log.appendNow(TOPIC, [record(1, 9), record(1, 11), record(1, 12)])
  const filters = await resumeFilters(log, [OUTPUT], source)
  const filter = filters.get(TOPIC)!
  const kept = [record(1, 11), record(1, 12), record(1, 12, 1), record(1, 13)].filter(
    (one) => !filter.drops(one),
  )
  assert.deepEqual(
    kept.map(({ value }) => value.toString()),
    ['1:12:1', '1:13:0'],
  )
})

test('of a topic with other partitions, each partition has an end of its own', async () => {
  const log = await aLog(3)
  log.appendNow(TOPIC, [
    { ...record(1, 11), partition: 0 },
    { ...record(1, 13), partition: 2 },
  ])
  const filter = (await resumeFilters(log, [OUTPUT], source)).get(TOPIC)!
  const dropped = (partition: number, offset: number) =>
    filter.drops({ ...record(1, offset), partition })
  assert.deepEqual([dropped(0, 11), dropped(0, 12)], [true, false])
  assert.deepEqual([dropped(2, 12), dropped(2, 14)], [true, false])
  assert.equal(dropped(1, 11), false, 'nothing was ever appended there')
})

test('a record without a position is never dropped', () => {
  const last = new Map([[0, { epoch: 0, partition: 0, offset: 5, index: 0 }]])
  const filter = new ResumeFilter(last, 1)
  assert.equal(filter.drops({ key: null, value: null, partition: 0 }), false)
  assert.equal(new SeenPositions().isNew(undefined), true)
})

test('a reader drops what it has seen, of each input partition by itself', () => {
  const seen = new SeenPositions()
  const isNew = (partition: number, offset: number, index = 0, epoch = 0) =>
    seen.isNew(encodePosition({ epoch, partition, offset, index }))
  assert.deepEqual([isNew(0, 5), isNew(0, 5), isNew(0, 5, 1)], [true, false, true])
  assert.deepEqual([isNew(1, 2), isNew(0, 4), isNew(1, 3)], [true, false, true])
  assert.equal(isNew(0, 0, 0, 1), true, 'a topic that was made anew begins again')
})
