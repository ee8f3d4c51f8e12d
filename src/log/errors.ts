import { errorTable } from '../kernel/errors.ts'

export const logErrors = errorTable('log', {
  staleGeneration: {
    domain: 'internal',
    retryable: false,
    message: (f: { topic: string; partition: number; generation: number; current: number }) =>
      `${f.topic}:${f.partition} was assigned in generation ${f.generation}, which is over (now ` +
      `${f.current}): its new owner commits`,
  },
  partitionCount: {
    domain: 'user',
    retryable: false,
    message: (f: { topic: string; wanted: number; found: number }) =>
      `topic ${f.topic} has ${f.found} partitions, but PARTITIONS is ${f.wanted}: the count is fixed for ` +
      'the life of a topic; set PARTITIONS to it, or make a new topic under another TOPIC_PREFIX',
  },
  unknownTopic: {
    domain: 'user',
    retryable: false,
    message: (f: { topic: string }) =>
      `topic ${f.topic} does not exist: \`meterloom start\` creates it, or check TOPIC_PREFIX`,
  },
  unavailable: {
    domain: 'external',
    retryable: true,
    message: (f: { brokers: string; what: string; detail: string }) =>
      `Kafka at ${f.brokers} does not ${f.what} (${f.detail}); check KAFKA_BROKERS and the broker's log`,
  },
  appendFailed: {
    domain: 'external',
    retryable: true,
    message: (f: { topic: string; records: number; detail: string }) =>
      `${f.records} records for ${f.topic} may not be in the log: ${f.detail}`,
  },
  closed: {
    domain: 'internal',
    retryable: false,
    message: (f: { what: string }) => `${f.what} is closed`,
  },
})
