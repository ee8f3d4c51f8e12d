import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NetworkError, Reader, type Writer, readRecordsBatch } from '@platformatic/kafka'
import { BatchWriter } from '../../../src/log/produce/batch-writer.ts'
import { type ProduceClient, TopicSender } from '../../../src/log/produce/topic-sender.ts'

const [NOT_LEADER, OUT_OF_ORDER, NOT_ALLOWED] = [6, 45, 29]

/** What one partition got: in which node, under which identity and sequence. */
interface Got {
  readonly node: number
  readonly partition: number
  readonly producerId: bigint
  readonly sequence: number
  readonly values: readonly string[]
}

/**
 * A cluster that refuses as it is told to, which a real one does too seldom: `refusals` are
 * answered, a batch each, before any is taken. 0: taken; -1: the connection breaks.
 */
class Cluster {
  readonly got: Got[] = []
  readonly leaders = [1, 2, 1]
  refusals: number[] = []
  asked = 0
  /** The first broker that is named answers nothing: the client asks the next with each retry. */
  isFirstFrozen = false
  private ids = 0n
  private readonly ends = [0, 0, 0]

  get client(): ProduceClient {
    const metadata = ({ retries }: { retries: number }) => {
      this.asked++
      if (this.isFirstFrozen && retries === 0) {
        return Promise.reject(new NetworkError('Request timed out'))
      }
      const partitions = this.leaders.map((leader) => ({ leader }))
      return Promise.resolve({
        brokers: new Map([1, 2].map((node) => [node, { host: 'b', port: node }])),
        topics: new Map([['t', { partitions }]]),
      })
    }
    const get = ({ port }: { port: number }) =>
      Promise.resolve({ send: (...args: unknown[]) => this.send(port, args) })
    const initIdempotentProducer = () =>
      Promise.resolve({ producerId: ++this.ids, producerEpoch: 0 })
    return { metadata, initIdempotentProducer, connections: { get } } as unknown as ProduceClient
  }

  private send(node: number, args: readonly unknown[]): void {
    const reader = Reader.from((args[2] as () => Writer)().buffer)
    reader.readNullableString()
    assert.equal(reader.readInt16(), -1)
    reader.readInt32()
    const broken: boolean[] = []
    const responses = reader.readArray((outer) => ({
      name: outer.readString(),
      partitionResponses: outer.readArray((inner) => {
        const partition = inner.readInt32()
        const bytes = inner.readBytes()
        const errorCode = this.refusals.shift() ?? 0
        if (errorCode === -1) broken.push(true)
        const baseOffset = BigInt(this.ends[partition]!)
        if (errorCode === 0) this.take(node, partition, bytes)
        return { index: partition, errorCode, errorMessage: null, baseOffset }
      }),
    }))
    const callback = args.at(-1) as (error: Error | null, answer?: unknown) => void
    if (broken.length > 0) callback(new NetworkError('Connection closed'))
    else callback(null, { responses })
  }

  private take(node: number, partition: number, bytes: Buffer): void {
    const { producerId, firstSequence, records } = readRecordsBatch(Reader.from(bytes))
    this.ends[partition]! += records.length
    const values = records.map(({ value }) => String(value))
    this.got.push({ node, partition, producerId, sequence: firstSequence, values })
  }
}

function batchesOf(...values: readonly (readonly string[])[]) {
  return values.flatMap((list, partition) => {
    const writer = new BatchWriter()
    for (const value of list) writer.add(null, Buffer.from(value), undefined, 100)
    return list.length === 0 ? [] : [{ partition, writer, baseOffset: -1 }]
  })
}

const sender = ({ client }: Cluster) => new TopicSender(client, 't', 1_000)
const offsets = (batches: readonly { baseOffset: number }[]) => batches.map((b) => b.baseOffset)
const sequences = ({ got }: Cluster, partition: number) =>
  got.filter((one) => one.partition === partition).map((one) => [one.producerId, one.sequence])

test('each partition goes to its leader, and sequences run on', async () => {
  const cluster = new Cluster()
  const to = sender(cluster)
  const first = batchesOf(['a', 'b'], ['c'], ['d'])
  await to.send(first)
  const second = batchesOf(['e'], [], ['f', 'g'])
  await to.send(second)
  assert.deepEqual(
    [offsets(first), offsets(second)],
    [
      [0, 0, 0],
      [2, 1],
    ],
  )
  assert.deepEqual(sequences(cluster, 0), [
    [1n, 0],
    [1n, 2],
  ])
  assert.deepEqual(sequences(cluster, 2), [
    [1n, 0],
    [1n, 1],
  ])
  assert.deepEqual(
    new Set(cluster.got.map((one) => `${one.partition} in ${one.node}`)),
    new Set(['0 in 1', '1 in 2', '2 in 1']),
  )
})

test('only what was refused is sent again, to who leads it now, under its sequence', async () => {
  const cluster = new Cluster()
  const to = sender(cluster)
  await to.send(batchesOf(['a'], ['b'], ['c']))
  cluster.refusals = [NOT_LEADER]
  cluster.leaders[0] = 2
  const asked = cluster.asked
  const batches = batchesOf(['d'], ['e'], ['f'])
  await to.send(batches)
  assert.deepEqual(offsets(batches), [1, 1, 1])
  assert.equal(cluster.asked, asked + 2)
  assert.deepEqual(sequences(cluster, 0), [
    [1n, 0],
    [1n, 1],
  ])
  assert.deepEqual(
    cluster.got
      .map(({ values }) => values.join())
      .toSorted()
      .join(''),
    'abcdef',
  )
})

test('a connection that breaks is made anew, and the batch keeps its sequence', async () => {
  const cluster = new Cluster()
  const to = sender(cluster)
  await to.send(batchesOf(['a']))
  cluster.refusals = [-1, -1]
  await to.send(batchesOf(['b']))
  assert.deepEqual(sequences(cluster, 0), [
    [1n, 0],
    [1n, 1],
  ])
})

test('where the first broker that is named answers nothing, another one is asked', async () => {
  const cluster = new Cluster()
  cluster.isFirstFrozen = true
  const batches = batchesOf(['a'])
  await sender(cluster).send(batches)
  assert.deepEqual(offsets(batches), [0])
})

test('a broker that has forgotten the producer gets a new identity', async () => {
  const cluster = new Cluster()
  const to = sender(cluster)
  await to.send(batchesOf(['a'], ['b']))
  cluster.refusals = [OUT_OF_ORDER]
  await to.send(batchesOf(['c'], ['d']))
  await to.send(batchesOf(['e'], ['f']))
  // The other partition was taken under the old identity; its next batch is the first of the new.
  assert.deepEqual(
    [sequences(cluster, 0), sequences(cluster, 1)].map((list) => list.slice(1)),
    [
      [
        [2n, 0],
        [2n, 1],
      ],
      [
        [1n, 1],
        [2n, 0],
      ],
    ],
  )
})

test('one that forgets it again and again is a failure', async () => {
  const cluster = new Cluster()
  cluster.refusals = [OUT_OF_ORDER, OUT_OF_ORDER]
  await assert.rejects(sender(cluster).send(batchesOf(['a'])), /out of order/)
})

test('what is refused for good fails at once, and what follows does not depend on it', async () => {
  const cluster = new Cluster()
  const to = sender(cluster)
  await to.send(batchesOf(['a']))
  cluster.refusals = [NOT_ALLOWED]
  await assert.rejects(to.send(batchesOf(['b'])), { apiCode: NOT_ALLOWED })
  const after = batchesOf(['c'])
  await to.send(after)
  assert.deepEqual(offsets(after), [1])
  assert.deepEqual(sequences(cluster, 0), [
    [1n, 0],
    [2n, 0],
  ])
})
