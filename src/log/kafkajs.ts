import kafkajs from 'kafkajs'
import type { Admin, Kafka } from 'kafkajs'
import { messageOf } from '../kernel/errors.ts'
import './quiet.ts'
import { toBatch } from './batch.ts'
import { logErrors } from './errors.ts'
import { KafkaReader } from './kafka-reader.ts'
import { subscribeKafka } from './kafkajs-subscription.ts'
import type {
  AppendedRange,
  CommittedOffset,
  Log,
  OutgoingRecord,
  Producer,
  ProducerOptions,
  ReadOptions,
  RecordBatch,
  SubscribeOptions,
  Subscription,
  TopicSpec,
} from './log.ts'

const { Kafka: KafkaClient, logLevel, CompressionTypes } = kafkajs

export interface KafkaOptions {
  readonly brokers: readonly string[]
  readonly clientId: string
  /** Makes the producers; kafkajs's own where it is not given. */
  readonly openProducer?: (options: ProducerOptions) => Promise<Producer>
  /** What a person should know, such as a cluster that keeps fewer copies than it could. */
  readonly warn?: (message: string) => void
}

/** The log in Kafka through kafkajs: groups, commits and topics; ranges through `KafkaReader`. */
export class KafkaLog implements Log {
  private readonly options: KafkaOptions
  private readonly kafka: Kafka
  private readonly admin: Admin
  private adminReady: Promise<void> | undefined
  private readonly open = new Set<{ close(): Promise<void> }>()

  constructor(options: KafkaOptions) {
    this.options = options
    this.kafka = new KafkaClient({
      clientId: options.clientId,
      brokers: [...options.brokers],
      logLevel: logLevel.NOTHING,
      connectionTimeout: 3_000,
      requestTimeout: 15_000,
      retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 8 },
    })
    this.admin = this.kafka.admin()
  }

  private async call<T>(what: string, run: (admin: Admin) => Promise<T>): Promise<T> {
    try {
      this.adminReady ??= this.admin.connect()
      await this.adminReady
      return await run(this.admin)
    } catch (error) {
      if (
        error instanceof Error &&
        'type' in error &&
        error.type === 'UNKNOWN_TOPIC_OR_PARTITION'
      ) {
        throw logErrors.unknownTopic({ topic: what.split(' ').at(-1)! }, error)
      }
      this.adminReady = undefined
      const brokers = this.options.brokers.join(',')
      throw logErrors.unavailable({ brokers, what, detail: messageOf(error) }, error)
    }
  }

  async createTopics(specs: readonly TopicSpec[]): Promise<void> {
    const found = new Set(await this.call('list topics', (admin) => admin.listTopics()))
    const missing = specs.filter((spec) => !found.has(spec.topic))
    if (missing.length > 0) {
      await this.call('create topics', (admin) =>
        admin.createTopics({
          waitForLeaders: true,
          topics: missing.map((spec) => ({
            topic: spec.topic,
            numPartitions: spec.partitions,
            configEntries: Object.entries(spec.settings).map(([name, value]) => ({ name, value })),
          })),
        }),
      )
    }
    for (const spec of specs) {
      const count = await this.partitionCount(spec.topic)
      if (count !== spec.partitions) {
        throw logErrors.partitionCount({ topic: spec.topic, wanted: spec.partitions, found: count })
      }
    }
    if (specs.length > 0) await this.warnOfFewCopies(specs[0]!.topic)
  }

  private async warnOfFewCopies(topic: string): Promise<void> {
    const cluster = await this.call('describe the cluster', (admin) => admin.describeCluster())
    // One broker alone is the embedded one, or a choice: there is nothing to be gained.
    if (cluster.brokers.length < 2) return
    const answer = await this.call('describe topics', (admin) =>
      admin.describeConfigs({
        includeSynonyms: false,
        resources: [
          {
            type: kafkajs.ConfigResourceTypes.TOPIC,
            name: topic,
            configNames: ['min.insync.replicas'],
          },
        ],
      }),
    )
    const copies = Number(answer.resources[0]?.configEntries[0]?.configValue ?? 1)
    if (copies >= 2) return
    this.options.warn?.(
      `min.insync.replicas of ${topic} is ${copies}: what is acknowledged may be on one broker alone; ` +
        'set it to 2 with a replication factor of 3',
    )
  }

  async deleteTopics(topics: readonly string[]): Promise<void> {
    await this.call('delete topics', (admin) => admin.deleteTopics({ topics: [...topics] }))
  }

  async partitionCount(topic: string): Promise<number> {
    const answer = await this.call(`describe topic ${topic}`, (admin) =>
      admin.fetchTopicMetadata({ topics: [topic] }),
    )
    return answer.topics[0]?.partitions.length ?? 0
  }

  async beginOffsets(topic: string): Promise<readonly number[]> {
    return (await this.offsets(topic)).map((entry) => Number(entry.low))
  }

  async endOffsets(topic: string): Promise<readonly number[]> {
    return (await this.offsets(topic)).map((entry) => Number(entry.high))
  }

  private async offsets(topic: string) {
    const found = await this.call(`tell the offsets of ${topic}`, (admin) =>
      admin.fetchTopicOffsets(topic),
    )
    return found.sort((a, b) => a.partition - b.partition)
  }

  async committed(group: string, topic: string): Promise<readonly CommittedOffset[]> {
    const found = await this.call(`tell the commits of ${topic}`, (admin) =>
      admin.fetchOffsets({ groupId: group, topics: [topic] }),
    )
    return (found[0]?.partitions ?? [])
      .sort((a, b) => a.partition - b.partition)
      .map((p) => ({ offset: Number(p.offset), metadata: p.metadata ?? '' }))
  }

  async producer(options: ProducerOptions = {}): Promise<Producer> {
    const producer = await (this.options.openProducer?.(options) ?? this.kafkajsProducer(options))
    return this.tracked(producer)
  }

  private tracked<T extends { close(): Promise<void> }>(resource: T): T {
    const close = resource.close.bind(resource)
    resource.close = async () => {
      this.open.delete(resource)
      await close()
    }
    this.open.add(resource)
    return resource
  }

  private async kafkajsProducer(options: ProducerOptions): Promise<Producer> {
    const client = this.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    })
    await client.connect()
    // kafkajs breaks the idempotent sequence on concurrent sends (its issue 598): one at a time.
    let last: Promise<unknown> = Promise.resolve()
    const send = async (topic: string, records: readonly OutgoingRecord[]) => {
      try {
        const answer = await client.send({
          topic,
          acks: -1,
          timeout: options.requestTimeoutMs ?? 15_000,
          compression: CompressionTypes.None,
          messages: records.map((r) => ({
            key: r.key,
            value: r.value,
            ...(r.partition === undefined ? {} : { partition: r.partition }),
            ...(r.headers === undefined ? {} : { headers: { ...r.headers } }),
          })),
        })
        return answer.map((a): AppendedRange => ({
          partition: a.partition,
          baseOffset: Number(a.baseOffset),
        }))
      } catch (error) {
        const detail = messageOf(error)
        throw logErrors.appendFailed({ topic, records: records.length, detail }, error)
      }
    }
    return {
      append(topic, records) {
        const result = last.then(() => send(topic, records))
        last = result.catch(() => undefined)
        return result
      },
      close: async () => {
        await last
        await client.disconnect()
      },
    }
  }

  async subscribe(options: SubscribeOptions): Promise<Subscription> {
    return this.tracked(await subscribeKafka(this.kafka, options))
  }

  async *read(options: ReadOptions): AsyncIterable<RecordBatch> {
    const reader = new KafkaReader(this.options.brokers, this.options.clientId)
    this.open.add(reader)
    try {
      const to = options.to ?? (await this.endOffsets(options.topic))[options.partition] ?? 0
      const begin = (await this.beginOffsets(options.topic))[options.partition] ?? 0
      yield* reader.read({ ...options, from: Math.max(options.from, begin), to })
    } finally {
      this.open.delete(reader)
      await reader.close()
    }
  }

  async readEnd(topic: string, partition: number, count: number): Promise<RecordBatch> {
    const end = (await this.endOffsets(topic))[partition] ?? 0
    const records: {
      offset: number
      appendMillis: number
      key: Buffer | null
      value: Buffer | null
    }[] = []
    const headers: ((name: string) => Buffer | undefined)[] = []
    // Where the log has gaps, `count` offsets hold fewer records: look further back until there are enough.
    for (let span = count; ; span *= 4) {
      records.length = headers.length = 0
      for await (const batch of this.read({ topic, partition, from: end - span, to: end })) {
        for (let i = 0; i < batch.count; i++) {
          const slice = (start: number, stop: number) =>
            start < 0 ? null : Buffer.from(batch.bytes.subarray(start, stop))
          records.push({
            offset: batch.offsets[i]!,
            appendMillis: batch.appendMillis[i]!,
            key: slice(batch.keyStart[i]!, batch.keyEnd[i]!),
            value: slice(batch.valueStart[i]!, batch.valueEnd[i]!),
          })
          headers.push((name) => batch.header(i, name))
        }
      }
      if (records.length >= count || end - span <= 0) break
    }
    const last = records.slice(-count)
    const skipped = records.length - last.length
    return toBatch(topic, partition, last, end, (record, name) =>
      headers[skipped + last.indexOf(record)]!(name),
    )
  }

  async close(): Promise<void> {
    await Promise.all([...this.open].map((resource) => resource.close()))
    if (this.adminReady !== undefined) await this.admin.disconnect()
  }
}
