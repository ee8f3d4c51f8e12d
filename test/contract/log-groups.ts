import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { hasCode } from '../../src/kernel/errors.ts'
import type { Contract } from './log-support.ts'
import { aMember, aTopic, append, numbered, opened, until, valuesOf } from './log-support.ts'

const stale = (error: unknown) => hasCode(error, 'log.staleGeneration')

/** What is promised of commits. */
export const commits: Contract = {
  async 'and what is attached to them outlive the member'(t, features) {
    const log = opened(t, features)
    const topic = await aTopic(t, features, log, 2)
    await append(log, topic, [...numbered('a', 5, 0), ...numbered('b', 5, 1)])
    const none = { offset: -1, metadata: '' }
    assert.deepEqual(await log.committed(topic, topic), [none, none])

    const first = await aMember(t, log, { topic, group: topic })
    await until('all records', () => first.seen.length === 10)
    const { generation } = first.subscription
    await first.subscription.commit([
      { topic, partition: 0, generation, offset: 3, metadata: 'snapshot 7' },
    ])
    await first.subscription.commit([])
    await first.subscription.close()
    assert.deepEqual(await log.committed(topic, topic), [
      { offset: 3, metadata: 'snapshot 7' },
      none,
    ])

    const second = await aMember(t, log, { topic, group: topic })
    await until('the rest', () => second.seen.length >= 7)
    assert.deepEqual(valuesOf(second.seen).sort(), ['a3', 'a4', 'b0', 'b1', 'b2', 'b3', 'b4'])
  },

  async 'of an older generation are refused, and change nothing'(t, features) {
    const log = opened(t, features)
    const topic = await aTopic(t, features, log, 2)
    await append(log, topic, [...numbered('a', 10, 0), ...numbered('b', 10, 1)])
    const first = await aMember(t, log, { topic, group: topic })
    await until('an assignment', () => first.calls.length === 1)
    const [old] = first.owned
    await first.subscription.commit([{ ...old!, offset: 1 }])

    const second = await aMember(t, opened(t, features), { topic, group: topic })
    await until('a new assignment', () => first.calls.length === 3 && second.calls.length === 1)
    const request = { ...old!, offset: 9 }
    await assert.rejects(first.subscription.commit([request]), stale)
    const [now] = first.owned
    assert.ok(now!.generation > old!.generation)
    assert.equal(now!.generation, first.subscription.generation)
    // One that is over spoils the whole call.
    const mixed = [{ ...now!, offset: 5 }, request]
    await assert.rejects(first.subscription.commit(mixed), stale)
    const offsets = (await log.committed(topic, topic)).map(({ offset }) => offset)
    assert.deepEqual(offsets, [1, -1])

    await first.subscription.commit([{ ...now!, offset: 5 }])
    assert.equal((await log.committed(topic, topic))[now!.partition]!.offset, 5)
    await first.subscription.close()
    await assert.rejects(first.subscription.commit([{ ...now!, offset: 6 }]), stale)
  },

  async 'of a handler that another member’s coming overtakes still count'(t, features) {
    const log = opened(t, features)
    const topic = await aTopic(t, features, log, 2)
    await append(log, topic, numbered('a', 1, 0))
    let isHandling = false
    let outcome = ''
    const first = await aMember(t, log, {
      topic,
      group: topic,
      async onBatch(_batch, owned, member) {
        if (isHandling) return
        isHandling = true
        await sleep(1_500)
        outcome = await member.subscription.commit([{ ...owned, offset: 1 }]).then(
          () => 'committed',
          (error: unknown) => String(error),
        )
      },
    })
    await until('the handler', () => isHandling)
    const second = await aMember(t, opened(t, features), { topic, group: topic })
    await until('the hand-over', () => first.calls.length === 3 && second.calls.length === 1)
    assert.equal(outcome, 'committed')
    assert.equal((await log.committed(topic, topic))[0]!.offset, 1)
  },
}

/** On a busy machine a group may assign anew what it had assigned: that changes nothing. */
function changes(calls: readonly string[]): readonly string[] {
  return calls.filter((call, i) => call !== calls[i - 1])
}

/** What the members of a group may rely on together. */
export const groups: Contract = {
  async 'share the partitions; when one leaves, the other takes over'(t, features) {
    const log = opened(t, features)
    const topic = await aTopic(t, features, log, 4)
    const group = topic
    const first = await aMember(t, log, { topic, group })
    await until('all for one', () => first.owned.length === 4)
    const second = await aMember(t, opened(t, features), { topic, group })
    await until('two each', () => first.owned.length === 2 && second.owned.length === 2)
    const shares = [...first.owned, ...second.owned].map(({ partition }) => partition)
    assert.deepEqual(shares.sort(), [0, 1, 2, 3])
    const lost = second.owned.map(({ partition }) => partition).sort()
    const kept = first.owned.map(({ partition }) => partition).sort()
    const expected = ['+0,1,2,3', `-${lost.join()}`, `+${kept.join()}`]
    assert.deepEqual(changes(first.calls), expected)

    for (const partition of [0, 1, 2, 3]) await append(log, topic, numbered('a', 5, partition))
    await until('all records', () => first.seen.length + second.seen.length === 20)
    assert.ok(first.seen.every(({ partition }) => kept.includes(partition)))
    assert.ok(second.seen.every(({ partition }) => lost.includes(partition)))
    for (const { owned, subscription } of [first, second]) {
      await subscription.commit(owned.map((one) => ({ ...one, offset: 5 })))
    }

    await second.subscription.close()
    await until('all for one again', () => first.owned.length === 4)
    assert.equal(first.calls.at(-1), '+0,1,2,3')
    const all = [...expected, '+0,1,2,3']
    assert.deepEqual(changes(first.calls), all, 'nothing is lost by the one that stays')
    for (const partition of [0, 1, 2, 3]) await append(log, topic, numbered('b', 5, partition))
    const later = () => first.seen.filter(({ value }) => value!.startsWith('b'))
    await until('the later records', () => later().length === 20)
    assert.deepEqual(first.failures.concat(second.failures), [])
  },

  async 'of different groups get all records each'(t, features) {
    const log = opened(t, features)
    const topic = await aTopic(t, features, log)
    await append(log, topic, numbered('a', 5))
    const members = [
      await aMember(t, log, { topic, group: `${topic}-1` }),
      await aMember(t, log, { topic, group: `${topic}-2` }),
    ]
    for (const { seen } of members) await until('all records', () => seen.length === 5)
  },
}
