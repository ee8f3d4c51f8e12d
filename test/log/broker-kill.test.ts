import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectLog } from '../../src/log/connect.ts'
import type { Log, Producer } from '../../src/log/log.ts'
import { topicNames, topicSpecs } from '../../src/log/topics.ts'
import { aMember, finallyDo, readAll, recordsOf, until } from '../contract/log-support.ts'
import { startKafka } from '../support/own-kafka.ts'

// A Kafka of this file's own, since it is killed.

const PARTITIONS = 3
const RECORDS_A_CALL = 20

/**
 * A writer of `<name>:0`, `<name>:1`, ... to every partition, with some calls under way at once.
 */
class Writer {
  /**
   * By call: the offset of its first record in each partition, and whether it had to be repeated.
   */
  readonly acknowledged: { readonly bases: readonly number[]; readonly isRepeat: boolean }[] = []
  failures = 0
  private isStopped = false
  private readonly producer: Producer
  private readonly topic: string
  private readonly name: string

  constructor(producer: Producer, topic: string, name: string) {
    this.producer = producer
    this.topic = topic
    this.name = name
  }

  async run(underWayMax: number): Promise<void> {
    const underWay = new Set<Promise<void>>()
    for (let call = 0; !this.isStopped; call++) {
      const work = this.append(call).finally(() => underWay.delete(work))
      underWay.add(work)
      if (underWay.size >= underWayMax) await Promise.race(underWay)
      await sleep(2)
    }
    await Promise.all(underWay)
  }

  stop(): void {
    this.isStopped = true
  }

  private async append(call: number): Promise<void> {
    const records = Array.from({ length: PARTITIONS * RECORDS_A_CALL }, (_, i) => {
      const number = call * RECORDS_A_CALL + Math.floor(i / PARTITIONS)
      const value = Buffer.from(`${this.name}:${number}`)
      return { key: null, value, partition: i % PARTITIONS }
    })
    for (let isRepeat = false; ; isRepeat = true) {
      try {
        const ranges = await this.producer.append(this.topic, records)
        const bases = ranges.toSorted((a, b) => a.partition - b.partition)
        this.acknowledged[call] = { bases: bases.map(({ baseOffset }) => baseOffset), isRepeat }
        return
      } catch {
        this.failures++
        await sleep(100)
      }
    }
  }
}

/** The numbers of one writer in one partition, and at which offset each came first. */
async function firstOffsets(log: Log, topic: string, partition: number, name: string) {
  const first = new Map<number, number>()
  let repeats = 0
  for (const { offset, value } of await readAll(log, { topic, partition })) {
    const [writer, number] = value!.split(':')
    if (writer !== name) continue
    if (first.has(Number(number))) repeats++
    else first.set(Number(number), offset)
  }
  return { first, repeats }
}

/** What a tail from the beginning sees. */
async function aTail(t: TestContext, log: Log, topic: string) {
  const tailed: string[] = []
  const troubles: unknown[] = []
  const tail = await log.tail({
    topics: [topic],
    onBatch(batch) {
      tailed.push(...recordsOf(batch).map(({ partition, offset }) => `${partition}:${offset}`))
      return Promise.resolve()
    },
    onTrouble: (error) => troubles.push(error),
    onFailed: (error) => assert.fail(String(error)),
  })
  finallyDo(t, () => tail.close())
  return { tailed, troubles }
}

/** One that awaits each call has its records in order whatever happens. */
async function assertInOrder(log: Log, topic: string, partition: number): Promise<void> {
  const { first } = await firstOffsets(log, topic, partition, 'alone')
  const offsets = [...first].sort(([a], [b]) => a - b).map(([, offset]) => offset)
  assert.deepEqual(
    offsets,
    offsets.toSorted((a, b) => a - b),
  )
}

test('a broker is killed and comes back: all goes on, nothing acknowledged is lost', async (t) => {
  const kafka = await startKafka()
  finallyDo(t, () => kafka.stop())
  const { kafkaBrokers } = kafka
  const log = await connectLog({ kafkaBrokers })
  finallyDo(t, () => log.close())
  const topic = 'killed'
  const [spec] = topicSpecs(topicNames(), { partitions: PARTITIONS, retentionBytes: -1 })
  await log.createTopics([{ ...spec!, topic }])
  const member = await aMember(t, log, {
    topic,
    group: topic,
    sessionTimeoutMs: 6_000,
    async onBatch(batch, owned, { subscription }) {
      // A commit that a rebalance overtakes is the next owner's to make.
      await subscription.commit([{ ...owned, offset: batch.nextOffset }]).catch(() => undefined)
    },
  })
  const { tailed, troubles } = await aTail(t, log, topic)
  const alone = new Writer(await log.producer(), topic, 'alone')
  const many = new Writer(await log.producer(), topic, 'many')
  const running = [alone.run(1), many.run(16)]
  await until('the first records', () => member.seen.length > 2_000)

  await kafka.kill()
  const atKill = [alone, many].map(({ acknowledged }) => acknowledged.length)
  await until('the tail to say that the broker is away', () => troubles.length > 0)
  await kafka.server.start()
  const isBeyond = () =>
    [alone, many].every(({ acknowledged }, i) => acknowledged.length > atKill[i]! + 100)
  await until('appends after the restart', isBeyond)
  for (const writer of [alone, many]) writer.stop()
  await Promise.all(running)

  const ends = await log.endOffsets(topic)
  const total = ends.reduce((sum, end) => sum + end)
  const seen = () => new Set(member.seen.map((s) => `${s.partition}:${s.offset}`)).size
  await until('the subscription to see all', () => seen() === total)
  assert.deepEqual(member.failures, [])
  await until('the tail to see all', () => tailed.length >= total)
  assert.deepEqual([tailed.length, new Set(tailed).size], [total, total])
  t.diagnostic(
    `${total} records, ${alone.failures + many.failures} appends repeated by the caller, ` +
      `${member.seen.length - total} records handed over again, ${member.calls.length} calls`,
  )

  for (let partition = 0; partition < PARTITIONS; partition++) {
    for (const [name, { acknowledged }] of Object.entries({ alone, many })) {
      const { first, repeats } = await firstOffsets(log, topic, partition, name)
      assert.equal(first.size, acknowledged.length * RECORDS_A_CALL, `${name} lost records`)
      // What the caller did not repeat is there once, where the call said, in the order of the
      // calls.
      let last = -1
      for (const [call, { bases, isRepeat }] of acknowledged.entries()) {
        if (isRepeat) continue
        const offset = first.get(call * RECORDS_A_CALL)!
        assert.equal(offset, bases[partition])
        assert.ok(offset > last, `${name}: call ${call} lies before an earlier one`)
        last = offset
      }
      const repeated = acknowledged.filter(({ isRepeat }) => isRepeat).length
      if (repeated === 0) assert.equal(repeats, 0, `${name} has records twice`)
    }
    await assertInOrder(log, topic, partition)
  }
})
