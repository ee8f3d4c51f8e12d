import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { hasCode } from '../../src/kernel/errors.ts'
import type { Contract } from './log-support.ts'
import {
  aMember,
  aTopic,
  append,
  at,
  finallyDo,
  numbered,
  opened,
  until,
  valuesOf,
} from './log-support.ts'

/** What one member of a group may rely on. */
export const members: Contract = {
  async 'gets every record once, each partition in its order'(t, features) {
    const log = opened(t, features)
    const topic = await aTopic(t, features, log, 3)
    for (const partition of [0, 1, 2]) await append(log, topic, numbered('a', 50, partition))
    const running = new Set<number>()
    const member = await aMember(t, log, {
      topic,
      group: topic,
      async onBatch({ partition }) {
        assert.ok(!running.has(partition), 'batches of a partition come one at a time')
        running.add(partition)
        await sleep(5)
        running.delete(partition)
      },
    })
    await until('150 records', () => member.seen.length === 150)
    // What comes later comes too.
    await append(log, topic, numbered('b', 50, 1))
    await until('200 records', () => member.seen.length === 200)
    for (const partition of [0, 1, 2]) {
      const offsets = member.seen.filter((s) => s.partition === partition).map((s) => s.offset)
      assert.deepEqual(offsets, [...offsets.keys()])
    }
    assert.deepEqual(member.calls, ['+0,1,2'])
    assert.deepEqual(member.failures, [])
  },

  async 'reads from where onAssigned says, and nothing before it has settled'(t, features) {
    const log = opened(t, features)
    const topic = await aTopic(t, features, log, 3)
    for (const partition of [0, 1, 2]) await append(log, topic, numbered('a', 10, partition))
    let isAssigned = false
    let early = 0
    const seen: number[][] = [[], [], []]
    const subscription = await log.subscribe({
      group: topic,
      topics: [topic],
      async onAssigned() {
        await sleep(300)
        isAssigned = true
        return at(topic, { 0: 7, 2: 10 })
      },
      onRevoked: () => Promise.resolve(),
      onBatch(batch) {
        if (!isAssigned) early++
        seen[batch.partition]!.push(...batch.offsets.subarray(0, batch.count))
        return Promise.resolve()
      },
      onFailed(error) {
        assert.fail(String(error))
      },
    })
    finallyDo(t, () => subscription.close())
    await until('the rest', () => seen[0]!.length === 3 && seen[1]!.length === 10)
    await append(log, topic, numbered('b', 1, 2))
    await until('what came later', () => seen[2]!.length > 0)
    assert.deepEqual(seen, [[7, 8, 9], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [10]])
    assert.equal(early, 0)
  },

  async 'passes over a gap'(t, features) {
    const log = opened(t, features)
    const topic = await aTopic(t, features, log)
    await append(log, topic, numbered('a', 2))
    await features.makeGap(log, topic, 0)
    await append(log, topic, numbered('b', 2))
    const member = await aMember(t, log, { topic, group: topic })
    const kept = () => valuesOf(member.seen).filter((value) => /^[ab]/.test(value!))
    await until('four records', () => kept().length >= 4)
    assert.deepEqual(kept(), ['a0', 'a1', 'b0', 'b1'])
  },

  async 'that pauses a partition gets nothing of it until it resumes'(t, features) {
    const log = opened(t, features)
    const topic = await aTopic(t, features, log, 2)
    const member = await aMember(t, log, {
      topic,
      group: topic,
      onBatch(batch, _owned, { subscription }) {
        if (batch.partition === 0) subscription.pause([{ topic, partition: 0 }])
        return Promise.resolve()
      },
    })
    await append(log, topic, numbered('a', 3, 0))
    const of = (partition: number) => member.seen.filter((s) => s.partition === partition)
    await until('the first batch', () => of(0).length > 0)
    const before = of(0).length
    await append(log, topic, [...numbered('b', 3, 0), ...numbered('c', 3, 1)])
    await until('the other partition', () => of(1).length === 3)
    await sleep(200)
    assert.equal(of(0).length, before)
    while (of(0).length < 6) {
      await sleep(20)
      member.subscription.resume([{ topic, partition: 0 }])
    }
    assert.deepEqual(valuesOf(of(0)), ['a0', 'a1', 'a2', 'b0', 'b1', 'b2'])
  },

  async 'whose handler fails ends, says so once, and gets nothing more'(t, features) {
    const log = opened(t, features)
    const topic = await aTopic(t, features, log)
    const member = await aMember(t, log, {
      topic,
      group: topic,
      onBatch: () => Promise.reject(new Error('broken')),
    })
    await append(log, topic, numbered('a', 2))
    await until('the failure', () => member.failures.length > 0)
    await append(log, topic, numbered('b', 2))
    await sleep(300)
    assert.deepEqual(
      member.failures.map((error) => (error as Error).message),
      ['broken'],
    )
    assert.equal(member.batches.length, 1)
    assert.equal(member.subscription.generation, -1)
    // Its partitions are free for another one.
    const next = await aMember(t, log, { topic, group: topic })
    await until('the other member', () => next.seen.length === 4)
  },

  async 'that is closed waits for its handler, and gets nothing more'(t, features) {
    const log = opened(t, features)
    const topic = await aTopic(t, features, log)
    let isDone = false
    const member = await aMember(t, log, {
      topic,
      group: topic,
      async onBatch() {
        await sleep(200)
        isDone = true
      },
    })
    await append(log, topic, numbered('a', 2))
    await until('a batch', () => member.batches.length > 0)
    await member.subscription.close()
    assert.ok(isDone)
    const { batches } = member
    await append(log, topic, numbered('b', 2))
    await sleep(100)
    assert.equal(batches.length, 1)
    assert.equal(member.subscription.generation, -1)
  },

  async 'of a topic that is none is refused'(t, features) {
    const log = opened(t, features)
    await assert.rejects(aMember(t, log, { topic: 'log-test-none', group: 'g' }), (error) =>
      hasCode(error, 'log.unknownTopic'),
    )
  },
}
