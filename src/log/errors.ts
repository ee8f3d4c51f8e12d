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
      `topic ${f.topic} has ${f.found} partitions, but PARTITIONS is ${f.wanted}: the count is ` +
      'fixed for the life of a topic. Where PARTITIONS was changed, set it back; where ' +
      'partitions were added, meters have lost theirs: replay into topics under another ' +
      'TOPIC_PREFIX',
  },
  unknownTopic: {
    domain: 'user',
    retryable: false,
    message: (f: { topic: string }) =>
      `topic ${f.topic} does not exist: \`meterloom start\` creates it, or check TOPIC_PREFIX`,
  },
  outOfRange: {
    domain: 'external',
    retryable: false,
    message: (f: { topic: string; partition: number; offset: number; begin: number }) =>
      `${f.topic}:${f.partition} holds offset ${f.offset} no longer: it begins at ${f.begin}`,
  },
  oldBroker: {
    domain: 'external',
    retryable: false,
    message: (f: { version: number; wants: number }) =>
      `the broker speaks fetch version ${f.version}, and ${f.wants} is needed: Kafka 3.1 or newer`,
  },
  unknownCompression: {
    domain: 'external',
    retryable: false,
    message: (f: { bits: number }) =>
      `a record batch is compressed by algorithm ${f.bits}, which is not known: producers may ` +
      'use none, gzip, snappy, lz4 or zstd',
  },
  unknownPartition: {
    domain: 'internal',
    retryable: false,
    message: (f: { topic: string; partition: number; count: number }) =>
      `${f.topic} has no partition ${f.partition}: they are 0 to ${f.count - 1}`,
  },
  topicSetting: {
    domain: 'user',
    retryable: false,
    message: (f: { topic: string; setting: string; wanted: string; found: string }) =>
      `topic ${f.topic} has ${f.setting}=${f.found}, not ${f.wanted}: set it with ` +
      `kafka-configs --alter --entity-type topics --entity-name ${f.topic} ` +
      `--add-config ${f.setting}=${f.wanted}`,
  },
  recordTooLarge: {
    domain: 'user',
    retryable: false,
    message: (f: { topic: string; bytes: number; bytesMax: number }) =>
      `a record for ${f.topic} has ${f.bytes} bytes: at most ${f.bytesMax} are taken`,
  },
  unavailable: {
    domain: 'external',
    retryable: true,
    message: (f: { brokers: string; what: string; detail: string }) =>
      `Kafka at ${f.brokers} does not ${f.what} (${f.detail}); ` +
      "check KAFKA_BROKERS and the broker's log",
  },
  appendFailed: {
    domain: 'external',
    retryable: true,
    message: (f: { topic: string; records: number; detail: string }) =>
      `${f.records} records for ${f.topic} may not be in the log: ${f.detail}`,
  },
  tooMuchWaiting: {
    domain: 'internal',
    retryable: true,
    message: (f: { topic: string; bytes: number; bytesMax: number }) =>
      `${f.bytes} bytes more for ${f.topic} would make more than the ${f.bytesMax} that may wait ` +
      'in a producer: await earlier appends first',
  },
  closed: {
    domain: 'internal',
    retryable: false,
    message: (f: { what: string }) => `${f.what} is closed`,
  },
})
