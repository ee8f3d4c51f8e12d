import assert from 'node:assert/strict'
import { hasCode } from '../../src/kernel/errors.ts'
import type { Contract } from './log-support.ts'
import {
  aTopic,
  append,
  finallyDo,
  numbered,
  opened,
  readAll,
  recordsOf,
  valuesOf,
} from './log-support.ts'

/** What reads without a group promise. */
export const reads: Contract = {
  async 'a range is read, and no more than that'(t, features) {
    const log = opened(t, features)
    const topic = await aTopic(t, features, log, 2)
    await append(log, topic, numbered('a', 600, 1))
    await append(log, topic, numbered('b', 600, 1))
    const offsets = async (range: { from?: number; to?: number }) => {
      const seen = await readAll(log, { topic, partition: 1, ...range })
      return seen.map(({ offset }) => offset)
    }
    const from = (first: number, end: number) =>
      Array.from({ length: end - first }, (_, i) => first + i)
    assert.deepEqual(await offsets({}), from(0, 1_200))
    assert.deepEqual(await offsets({ from: 599, to: 602 }), [599, 600, 601])
    assert.deepEqual(await offsets({ from: 1_199 }), [1_199])
    assert.deepEqual(await offsets({ from: -5, to: 2 }), [0, 1])
    assert.deepEqual(await offsets({ from: 1_198, to: 9_999 }), [1_198, 1_199])
    assert.deepEqual(await offsets({ from: 1_200 }), [])
    assert.deepEqual(await offsets({ from: 7, to: 7 }), [])
    assert.deepEqual(await readAll(log, { topic, partition: 0 }), [])
    await assert.rejects(readAll(log, { topic, partition: 2 }), (error) =>
      hasCode(error, 'log.unknownPartition'),
    )
  },

  async 'what is freed is read no more, and the log begins behind it'(t, features) {
    const log = opened(t, features)
    const topic = await aTopic(t, features, log, 2)
    await append(log, topic, numbered('a', 20, 1))
    await log.deleteRecords(topic, 1, 12)
    assert.deepEqual(await log.beginOffsets(topic), [0, 12])
    const seen = await readAll(log, { topic, partition: 1, from: 3 })
    assert.deepEqual(
      seen.map(({ offset }) => offset),
      [12, 13, 14, 15, 16, 17, 18, 19],
    )
    await log.deleteRecords(topic, 1, 5)
    assert.deepEqual(await log.beginOffsets(topic), [0, 12], 'freeing less frees nothing')
    await log.deleteRecords(topic, 1, 20)
    await append(log, topic, numbered('b', 1, 1))
    const rest = await readAll(log, { topic, partition: 1 })
    assert.deepEqual(
      rest.map(({ offset, value }) => [offset, value]),
      [[20, 'b0']],
    )
  },

  async 'a gap is passed over, and the next offset lies behind it'(t, features) {
    const log = opened(t, features)
    const topic = await aTopic(t, features, log)
    await append(log, topic, numbered('a', 3))
    await features.makeGap(log, topic, 0)
    const behind = (await log.endOffsets(topic))[0]!
    await append(log, topic, numbered('b', 2))
    const end = (await log.endOffsets(topic))[0]!
    assert.equal(end, behind + 2)

    let next = 0
    const seen = []
    for await (const batch of log.read({ topic, partition: 0, from: 0 })) {
      const records = recordsOf(batch)
      assert.ok(records.every(({ offset }) => offset >= next && offset < batch.nextOffset))
      next = batch.nextOffset
      seen.push(...records)
    }
    assert.equal(next, end)
    const kept = seen.filter(({ value }) => /^[ab]/.test(value!))
    assert.deepEqual(valuesOf(kept), ['a0', 'a1', 'a2', 'b0', 'b1'])
    assert.equal(kept[3]!.offset, behind)
    assert.ok(seen.length < end, 'there is a gap')

    const last = recordsOf(await log.readEnd(topic, 0, 4))
    assert.equal(last.length, 4)
    assert.deepEqual(valuesOf(last.slice(-2)), ['b0', 'b1'])
  },

  async 'the end of a partition is read, as far as there is one'(t, features) {
    const log = opened(t, features)
    const topic = await aTopic(t, features, log)
    assert.equal((await log.readEnd(topic, 0, 3)).count, 0)
    await append(log, topic, [
      { key: Buffer.from('k'), value: null, headers: { h: Buffer.from('1') } },
    ])
    await append(log, topic, numbered('a', 2))
    const end = await log.readEnd(topic, 0, 2)
    assert.deepEqual(valuesOf(recordsOf(end)), ['a0', 'a1'])
    assert.equal(end.nextOffset, 3)
    const all = await log.readEnd(topic, 0, 50)
    assert.deepEqual(
      recordsOf(all).map(({ offset, key }) => [offset, key]),
      [
        [0, 'k'],
        [1, null],
        [2, null],
      ],
    )
    assert.equal(all.header(0, 'h')?.toString(), '1')
    assert.equal((await log.readEnd(topic, 0, 0)).count, 0)
  },
}

/** What is promised of topics. */
export const topics: Contract = {
  async 'making topics again changes nothing; another count is refused'(t, features) {
    const log = opened(t, features)
    const topic = await aTopic(t, features, log, 3)
    await append(log, topic, numbered('a', 1))
    const { settings } = features
    await log.createTopics([{ topic, partitions: 3, settings }])
    await Promise.all([
      log.createTopics([{ topic: `${topic}-b`, partitions: 1, settings }]),
      log.createTopics([{ topic: `${topic}-b`, partitions: 1, settings }]),
    ])
    finallyDo(t, () => log.deleteTopics([`${topic}-b`]))
    assert.equal(await log.partitionCount(topic), 3)
    assert.deepEqual(await log.endOffsets(topic), [1, 0, 0])
    assert.deepEqual(await log.beginOffsets(topic), [0, 0, 0])
    await assert.rejects(
      log.createTopics([{ topic, partitions: 4, settings }]),
      (error) =>
        hasCode(error, 'log.partitionCount') &&
        error.message.includes(`topic ${topic} has 3 partitions, but PARTITIONS is 4`),
    )
  },

  async 'deleting what is not there is nothing'(t, features) {
    const log = opened(t, features)
    await log.deleteTopics(['log-test-none'])
  },
}
