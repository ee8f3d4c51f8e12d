import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Base, kMetadata } from '@platformatic/kafka'
import { PlatformaticProducer } from '../../../src/log/platformatic.ts'
import { aTopic, finallyDo, numbered } from '../../contract/log-support.ts'
import { kafkaBrokers, kafkaFeatures, openKafka } from '../kafka-features.ts'

// A client that drops what it knows of the cluster, as it does when a leader moves, may answer with
// topics that it knows nothing of. That is forced here.

test('what the client forgets of the cluster ends no append', async (t) => {
  const log = openKafka('platformatic')
  finallyDo(t, () => log.close())
  const topic = await aTopic(t, kafkaFeatures('platformatic'), log)
  const producer = new PlatformaticProducer(kafkaBrokers(), 'produce-test')
  finallyDo(t, () => producer.close())
  const original = Base.prototype[kMetadata]
  let forgotten = 0
  Base.prototype[kMetadata] = function (options, answer) {
    original.call(this, options, (error, metadata) => {
      if (options.forceUpdate !== true && metadata !== undefined) {
        forgotten++
        metadata.topics.set(topic, undefined!)
      }
      answer(error, metadata)
    })
  }
  t.after(() => {
    Base.prototype[kMetadata] = original
  })
  await producer.append(topic, numbered('r', 5))
  const ends = await log.endOffsets(topic)
  assert.equal(
    ends.reduce((a, b) => a + b, 0),
    5,
  )
  assert.ok(forgotten >= 2, 'both who counts partitions and who sends asked')
})
