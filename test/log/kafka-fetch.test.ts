import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { Base, kMetadata } from '@platformatic/kafka'
import { KafkaFetcher } from '../../src/log/kafka-fetch.ts'
import { readRecordSet } from '../../src/log/record-set.ts'
import { aTopic, append, finallyDo, numbered } from '../contract/log-support.ts'
import { kafkaBrokers, kafkaFeatures, openKafka } from './kafka-features.ts'

// A client that drops what it knows of the cluster, as it does when a leader moves, answers
// requests that are under way with topics that it knows nothing of. That is forced here.

const features = kafkaFeatures('platformatic')
const OPTIONS = { waitMs: 50, partitionBytesMax: 1024 * 1024 }

async function given(t: TestContext) {
  const log = openKafka('platformatic')
  finallyDo(t, () => log.close())
  const topic = await aTopic(t, features, log)
  await append(log, topic, numbered('r', 3))
  const fetcher = new KafkaFetcher(kafkaBrokers(), 'fetch-test')
  finallyDo(t, () => fetcher.close())
  return { places: [{ topic, partition: 0, next: 0 }], fetcher }
}

type Ask = Base[typeof kMetadata]

/** What the library asks of the cluster goes through `forced` until the test is over. */
function forceMetadata(t: TestContext, forced: (ask: Ask, ...args: Parameters<Ask>) => void): void {
  const original = Base.prototype[kMetadata]
  Base.prototype[kMetadata] = function (...args) {
    forced(original.bind(this), ...args)
  }
  t.after(() => {
    Base.prototype[kMetadata] = original
  })
}

test('what the client forgets of the cluster ends no fetch', async (t) => {
  const { fetcher, places } = await given(t)
  const leaders = await fetcher.leaders(places, true)
  const [node] = leaders.byNode.keys()
  forceMetadata(t, (_ask, _options, answer) =>
    answer(null, {
      ...{ id: '', brokers: new Map(), controllerId: 0, lastUpdate: 0 },
      topics: new Map([[places[0]!.topic, undefined!]]),
    }),
  )
  const [found] = await fetcher.fetch(node!, places, leaders, OPTIONS)
  const range = { ...places[0]!, from: 0, to: Infinity }
  assert.equal(readRecordSet(found!.records, range).count, 3)
})

test('leaders that were forgotten meanwhile are asked for again', async (t) => {
  const { fetcher, places } = await given(t)
  let forgotten = 0
  forceMetadata(t, (ask, options, answer) =>
    ask(options, (error, metadata) => {
      if (options.forceUpdate !== true && metadata !== undefined) {
        forgotten++
        metadata.topics.set(places[0]!.topic, undefined!)
      }
      answer(error, metadata)
    }),
  )
  const { byNode } = await fetcher.leaders(places, false)
  assert.deepEqual([forgotten, [...byNode.values()]], [1, [places]])
})
