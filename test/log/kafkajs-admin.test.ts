import assert from 'node:assert/strict'
import test from 'node:test'
import type { Admin, Kafka } from 'kafkajs'
import { KafkajsAdmin } from '../../src/log/kafkajs-admin.ts'

// No broker loses its coordinator when a test wants it to: the client's own answers are forced.

/** Fails with each of the errors in turn, on whichever client it is asked, then answers. */
function clientFailing(errors: Error[]): Kafka {
  const offsets = [{ topic: 't', partitions: [{ partition: 0, offset: '7', metadata: null }] }]
  const admin = {
    connect: () => Promise.resolve(),
    disconnect: () => Promise.resolve(),
    fetchOffsets: () =>
      errors.length > 0 ? Promise.reject(errors.shift()!) : Promise.resolve(offsets),
  }
  const kafka: Partial<Kafka> = { admin: () => admin as unknown as Admin }
  return kafka as Kafka
}

const ofType = (type: string) => Object.assign(new Error(type), { type })

test('a group whose coordinator moves, and a topic without leaders, are asked again', async () => {
  const errors = [
    ofType('NOT_COORDINATOR_FOR_GROUP'),
    ofType('GROUP_LOAD_IN_PROGRESS'),
    new TypeError("Cannot destructure property 'partitions' of 'low.pop(...)'"),
  ]
  const admin = new KafkajsAdmin(clientFailing(errors), 'broker:1', () => undefined)
  assert.deepEqual(await admin.committed('g', 't'), [{ offset: 7, metadata: '' }])
  assert.equal(errors.length, 0)
})

test('what does not pass is told at once', async () => {
  const errors = [ofType('GROUP_AUTHORIZATION_FAILED'), ofType('never asked')]
  const admin = new KafkajsAdmin(clientFailing(errors), 'broker:1', () => undefined)
  await assert.rejects(admin.committed('g', 't'), { code: 'log.unavailable' })
  assert.equal(errors.length, 1)
})
