import assert from 'node:assert/strict'
import { hasCode } from '../../src/kernel/errors.ts'
import { partitionKey } from '../../src/log/log.ts'
import type { Contract } from './log-support.ts'
import { aTopic, append, finallyDo, numbered, opened, recordsOf, until } from './log-support.ts'

/** What reading on without a group promises. */
export const tails: Contract = {
  async 'a tail begins at the end, and brings each later record once, in order'(t, features) {
    const log = opened(t, features)
    const topic = await aTopic(t, features, log, 3)
    for (const partition of [0, 1, 2]) await append(log, topic, numbered('a', 5, partition))
    const seen: string[] = []
    let handling = 0
    const tail = await log.tail({
      topics: [topic],
      async onBatch(batch) {
        handling += 1
        assert.equal(handling, 1, 'one batch of a partition at a time')
        await Promise.resolve()
        for (const { partition, value } of recordsOf(batch)) seen.push(`${partition}${value}`)
        handling -= 1
      },
      onFailed: (error) => assert.fail(String(error)),
    })
    finallyDo(t, () => tail.close())
    assert.equal(tail.startedAt.get(partitionKey(topic, 1)), 5)
    for (const name of ['b', 'c']) {
      for (const partition of [0, 1, 2]) await append(log, topic, numbered(name, 3, partition))
      await until('the records', () => seen.length >= (name === 'b' ? 9 : 18))
    }
    for (const partition of [0, 1, 2]) {
      const own = seen.filter((one) => one.startsWith(String(partition)))
      const expected = ['b0', 'b1', 'b2', 'c0', 'c1', 'c2'].map((one) => `${partition}${one}`)
      assert.deepEqual(own, expected)
    }
  },

  async 'a tail begins where it is told, of several topics, and ends when it is closed'(
    t,
    features,
  ) {
    const log = opened(t, features)
    const [one, other] = [await aTopic(t, features, log), await aTopic(t, features, log)]
    await append(log, one, numbered('a', 4))
    await append(log, other, numbered('b', 4))
    const seen: string[] = []
    const tail = await log.tail({
      topics: [one, other],
      from: new Map([
        [partitionKey(one, 0), 2],
        [partitionKey(other, 0), -7],
      ]),
      onBatch(batch) {
        seen.push(...recordsOf(batch).map(({ value }) => value!))
        return Promise.resolve()
      },
      onFailed: (error) => assert.fail(String(error)),
    })
    await until('the records', () => seen.length >= 6)
    assert.deepEqual(seen.sort(), ['a2', 'a3', 'b0', 'b1', 'b2', 'b3'])
    await tail.close()
    await append(log, one, numbered('c', 4))
    assert.equal(seen.length, 6)
  },

  async 'a handler that rejects ends the tail; an unknown topic is refused'(t, features) {
    const log = opened(t, features)
    const topic = await aTopic(t, features, log)
    const failures: unknown[] = []
    let calls = 0
    const tail = await log.tail({
      topics: [topic],
      onBatch() {
        calls += 1
        return Promise.reject(new Error('the handler'))
      },
      onFailed: (error) => failures.push(error),
    })
    finallyDo(t, () => tail.close())
    await append(log, topic, numbered('a', 1))
    await until('the failure', () => failures.length === 1)
    await append(log, topic, numbered('b', 1))
    assert.match(String(failures[0]), /the handler/)
    assert.deepEqual([calls, failures.length], [1, 1])
    const unknown = { onBatch: () => Promise.resolve(), onFailed: () => undefined }
    await assert.rejects(log.tail({ topics: [`${topic}-none`], ...unknown }), (error) =>
      hasCode(error, 'log.unknownTopic'),
    )
  },
}
