import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import { KafkaLog } from '../../src/log/kafkajs.ts'
import { PlatformaticProducer } from '../../src/log/platformatic.ts'
import { topicNames, topicSpecs } from '../../src/log/topics.ts'
import type { Features } from '../contract/log-support.ts'

export type ProducerName = 'platformatic' | 'kafkajs'

export const kafkaBrokers = () => (process.env['KAFKA_BROKERS'] ?? '').split(',')

/** The log in the run's Kafka, with one of the producers. */
export function openKafka(producer: ProducerName, warn?: (message: string) => void): KafkaLog {
  const brokers = kafkaBrokers()
  const clientId = 'meterloom-test'
  return new KafkaLog({
    brokers,
    clientId,
    ...(warn === undefined ? {} : { warn }),
    ...(producer === 'kafkajs'
      ? {}
      : { openProducer: (options) => new PlatformaticProducer(brokers, clientId, options) }),
  })
}

const { settings } = topicSpecs(topicNames(), { partitions: 1, retentionBytes: -1 })[0]!

export function kafkaFeatures(producer: ProducerName): Features {
  return {
    name: `Kafka, producing through ${producer}`,
    open: () => openKafka(producer),
    settings,
    makeGap: async (log, topic, partition) => {
      const before = (await log.endOffsets(topic))[partition]!
      await commitMarker(topic, partition)
      // The broker answers a commit before it has written the marker.
      while ((await log.endOffsets(topic))[partition]! < before + 2) await sleep(20)
    },
    nowMillis: () => Date.now(),
  }
}

/** A transaction: one record, and behind it a marker that takes an offset and is no record. */
async function commitMarker(topic: string, partition: number): Promise<void> {
  const kafka = new kafkajs.Kafka({ brokers: kafkaBrokers(), logLevel: kafkajs.logLevel.NOTHING })
  const producer = kafka.producer({
    transactionalId: `${topic}-${partition}`,
    idempotent: true,
    maxInFlightRequests: 1,
  })
  await producer.connect()
  const transaction = await producer.transaction()
  await transaction.send({ topic, messages: [{ value: 'of the transaction', partition }] })
  await transaction.commit()
  await producer.disconnect()
}
