import assert from 'node:assert/strict'
import { hasCode } from '../../src/kernel/errors.ts'
import { partitionOf } from '../../src/kernel/ids.ts'
import { LIMITS } from '../../src/kernel/limits.ts'
import type { Contract } from './log-support.ts'
import { aTopic, append, finallyDo, numbered, opened, readAll, valuesOf } from './log-support.ts'

/** What producers promise. */
export const appends: Contract = {
  async 'keyed records lie where Java would put them, in the order of the calls'(t, features) {
    const log = opened(t, features)
    const topic = await aTopic(t, features, log, 5)
    const keys = Array.from({ length: 20 }, (_, i) => `demo/meter-${i}`)
    const records = Array.from({ length: 200 }, (_, i) => ({
      key: Buffer.from(keys[i % keys.length]!),
      value: Buffer.from(String(i)),
    }))
    await append(log, topic, records)
    let count = 0
    for (let partition = 0; partition < 5; partition++) {
      const seen = await readAll(log, { topic, partition })
      count += seen.length
      const values = seen.map(({ value }) => Number(value))
      assert.deepEqual(
        values,
        values.toSorted((a, b) => a - b),
      )
      for (const { key } of seen) assert.equal(partitionOf(Buffer.from(key!), 5), partition)
    }
    assert.equal(count, 200)
  },

  async 'an append answers where it lies'(t, features) {
    const log = opened(t, features)
    const topic = await aTopic(t, features, log, 3)
    const producer = await log.producer()
    finallyDo(t, () => producer.close())
    const records = [...numbered('a', 2, 1), ...numbered('b', 3, 2), ...numbered('c', 1, 1)]
    const first = await producer.append(topic, records)
    assert.deepEqual(
      first.toSorted((a, b) => a.partition - b.partition),
      [
        { partition: 1, baseOffset: 0 },
        { partition: 2, baseOffset: 0 },
      ],
    )
    assert.deepEqual(await producer.append(topic, numbered('d', 2, 1)), [
      { partition: 1, baseOffset: 3 },
    ])
    assert.deepEqual(await producer.append(topic, []), [])
    assert.deepEqual(await log.endOffsets(topic), [0, 5, 3])
    assert.deepEqual(valuesOf(await readAll(log, { topic, partition: 1 })), [
      'a0',
      'a1',
      'c0',
      'd0',
      'd1',
    ])
  },

  async 'appends that run side by side keep the order of their calls'(t, features) {
    const log = opened(t, features)
    const topic = await aTopic(t, features, log)
    const producer = await log.producer()
    finallyDo(t, () => producer.close())
    const calls = Array.from({ length: 60 }, (_, i) => numbered(`${i}:`, 1 + (i % 7)))
    const answers = []
    for (const [i, call] of calls.entries()) {
      answers.push(producer.append(topic, call))
      // Some in one turn of the loop, some later.
      if (i % 10 === 9) await new Promise((resolve) => setImmediate(resolve))
    }
    const ranges = await Promise.all(answers)
    let next = 0
    for (const [i, call] of calls.entries()) {
      assert.deepEqual(ranges[i], [{ partition: 0, baseOffset: next }])
      next += call.length
    }
    const wanted = calls.flat().map(({ value }) => value!.toString())
    assert.deepEqual(valuesOf(await readAll(log, { topic, partition: 0 })), wanted)
  },

  async 'null and empty keys and values come back as they are'(t, features) {
    const log = opened(t, features)
    const topic = await aTopic(t, features, log)
    const empty = Buffer.alloc(0)
    await append(log, topic, [
      { key: null, value: null },
      { key: empty, value: empty },
      { key: Buffer.from('k'), value: null },
      { key: null, value: Buffer.from('v') },
    ])
    const seen = await readAll(log, { topic, partition: 0 })
    assert.deepEqual(
      seen.map(({ key, value }) => [key, value]),
      [
        [null, null],
        ['', ''],
        ['k', null],
        [null, 'v'],
      ],
    )
  },

  async 'headers come back by their names'(t, features) {
    const log = opened(t, features)
    const topic = await aTopic(t, features, log)
    const value = Buffer.from('v')
    await append(log, topic, [
      { key: null, value, headers: { 'ml-src': Buffer.of(0, 255), other: Buffer.alloc(0) } },
      { key: null, value },
    ])
    for await (const batch of log.read({ topic, partition: 0, from: 0 })) {
      assert.deepEqual([...batch.header(0, 'ml-src')!], [0, 255])
      assert.equal(batch.header(0, 'other')?.length, 0)
      assert.equal(batch.header(0, 'none'), undefined)
      assert.equal(batch.header(1, 'ml-src'), undefined)
    }
  },

  async 'records in one buffer lie as the same ones do that are objects'(t, features) {
    const log = opened(t, features)
    const topic = await aTopic(t, features, log, 3)
    const producer = await log.producer()
    finallyDo(t, () => producer.close())
    // Behind something that is no record, and with empty and long values among them.
    const parts = [Buffer.from('not a record')]
    const begin = parts[0]!.length
    const ends: number[] = []
    const sent = Array.from({ length: 30 }, (_, i) => {
      const made = [`source ${i}`, `demo/meter-${i % 7}`, 'v'.repeat(i % 10 === 3 ? 70_000 : i)]
      for (const one of made) {
        parts.push(Buffer.from(one))
        ends.push((ends.at(-1) ?? begin) + one.length)
      }
      return made
    })
    const batch = {
      ...{ count: sent.length, header: 'ml-src', begin },
      ...{ bytes: Buffer.concat(parts), ends: Int32Array.from(ends) },
    }
    const ranges = await producer.append(topic, batch)
    // What settled is the caller's again.
    batch.bytes.fill(0)
    assert.deepEqual(await producer.append(topic, { ...batch, count: 0 }), [])
    let count = 0
    for (let partition = 0; partition < 3; partition++) {
      const wanted = sent.filter(([, key]) => partitionOf(Buffer.from(key!), 3) === partition)
      const seen = await readAll(log, { topic, partition })
      assert.deepEqual(
        seen.map(({ key, value }) => [key, value]),
        wanted.map(([, key, value]) => [key, value]),
      )
      for await (const read of log.read({ topic, partition, from: 0 })) {
        for (let i = 0; i < read.count; i++) {
          const source = wanted[read.offsets[i]!]![0]!
          assert.equal(String(read.header(i, 'ml-src')), source)
        }
      }
      count += seen.length
    }
    assert.equal(count, 30)
    assert.deepEqual(
      ranges.map(({ baseOffset }) => baseOffset),
      ranges.map(() => 0),
    )
  },

  async 'append times are the log’s, in whole milliseconds, and do not go back'(t, features) {
    const log = opened(t, features)
    const topic = await aTopic(t, features, log)
    const before = features.nowMillis()
    await append(log, topic, numbered('a', 3))
    await append(log, topic, numbered('b', 3))
    const after = features.nowMillis()
    let last = before
    for (const { appendMillis } of await readAll(log, { topic, partition: 0 })) {
      assert.ok(Number.isInteger(appendMillis) && appendMillis >= last && appendMillis <= after)
      last = appendMillis
    }
  },
}

/** What producers promise of large and of wrong appends. */
export const extremes: Contract = {
  async 'an append that is larger than a batch of the log lies there whole'(t, features) {
    const log = opened(t, features)
    const topic = await aTopic(t, features, log, 2)
    const producer = await log.producer()
    finallyDo(t, () => producer.close())
    const filler = 'x'.repeat(700)
    const records = Array.from({ length: 5_000 }, (_, i) => ({
      key: null,
      value: Buffer.from(`${i}${filler}`),
      partition: i % 2,
    }))
    // 1.75 MB a partition, twice; what is called behind it stays behind it.
    const large = producer.append(topic, records)
    const small = producer.append(topic, numbered('after', 1))
    assert.deepEqual(
      (await large).map(({ baseOffset }) => baseOffset),
      [0, 0],
    )
    assert.deepEqual(await small, [{ partition: 0, baseOffset: 2_500 }])
    const seen = valuesOf(await readAll(log, { topic, partition: 0 }))
    const wanted = records.filter((_, i) => i % 2 === 0).map(({ value }) => value.toString())
    assert.deepEqual(seen, [...wanted, 'after0'])
  },

  async 'a record that could never be taken is refused, and no other with it'(t, features) {
    const log = opened(t, features)
    const topic = await aTopic(t, features, log)
    const producer = await log.producer()
    finallyDo(t, () => producer.close())
    const huge = { key: null, value: Buffer.alloc(LIMITS.recordBytesMax + 1) }
    const results = await Promise.allSettled([
      producer.append(topic, numbered('a', 1)),
      producer.append(topic, [huge]),
      producer.append(topic, numbered('b', 1, 7)),
      producer.append(topic, [...numbered('c', 1), { key: null, value: Buffer.alloc(1_400_000) }]),
    ])
    const codes = results.map((result) =>
      result.status === 'fulfilled' ? 'ok' : (result.reason as { code: string }).code,
    )
    assert.deepEqual(codes, ['ok', 'log.recordTooLarge', 'log.unknownPartition', 'ok'])
    const seen = await readAll(log, { topic, partition: 0 })
    assert.deepEqual(
      seen.map(({ value }) => value!.length),
      [2, 2, 1_400_000],
    )
  },

  async 'a topic that is none is named'(t, features) {
    const log = opened(t, features)
    const producer = await log.producer()
    finallyDo(t, () => producer.close())
    const unknown = (error: unknown) =>
      hasCode(error, 'log.unknownTopic') && error.message.includes('log-test-none')
    await assert.rejects(producer.append('log-test-none', numbered('a', 1)), unknown)
    await assert.rejects(log.endOffsets('log-test-none'), unknown)
    await assert.rejects(log.partitionCount('log-test-none'), unknown)
    await assert.rejects(readAll(log, { topic: 'log-test-none', partition: 0 }), unknown)
  },

  async 'a closed producer takes nothing more, and has finished what it took'(t, features) {
    const log = opened(t, features)
    const topic = await aTopic(t, features, log)
    const producer = await log.producer()
    const last = producer.append(topic, numbered('a', 10))
    await producer.close()
    await producer.close()
    assert.deepEqual(await last, [{ partition: 0, baseOffset: 0 }])
    await assert.rejects(producer.append(topic, numbered('b', 1)), (error) =>
      hasCode(error, 'log.closed'),
    )
    assert.deepEqual(await log.endOffsets(topic), [10])
  },
}
