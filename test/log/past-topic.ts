import kafkajs, { type Kafka } from 'kafkajs'
import type { TopicSpec } from '../../src/log/log.ts'
import { openKafka } from './kafka-features.ts'

export interface PastRecord {
  readonly key: string
  readonly value: Buffer
  readonly appendMillis: number
}

/**
 * Makes a topic with records that were appended at these times, so that days have passed. Where the
 * append time is the log's own no test can choose it: it is the sender's until they are in.
 */
export async function makePastTopic(
  brokers: string,
  spec: TopicSpec,
  records: readonly PastRecord[],
): Promise<void> {
  const log = openKafka('platformatic')
  const settings = { 'message.timestamp.type': 'CreateTime' }
  await log.createTopics([{ ...spec, settings }])
  await log.close()
  const kafka = new kafkajs.Kafka({ brokers: [brokers], logLevel: kafkajs.logLevel.NOTHING })
  const producer = kafka.producer()
  await producer.connect()
  const messages = records.map(({ key, value, appendMillis }) => {
    return { key, value, timestamp: String(appendMillis) }
  })
  // One by one: the append time of all that share a batch is one.
  for (const message of messages) await producer.send({ topic: spec.topic, messages: [message] })
  await producer.disconnect()
  await alter(kafka, spec)
}

/** What the topic holds stays as it is. */
async function alter(kafka: Kafka, { topic, settings }: TopicSpec): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }))
  const resource = { type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configEntries }
  await admin.alterConfigs({ validateOnly: false, resources: [resource] })
  await admin.disconnect()
}
