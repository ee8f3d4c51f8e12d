import kafkajs from 'kafkajs'
import type { Kafka } from 'kafkajs'
import { messageOf } from '../kernel/errors.ts'
import { LIMITS } from '../kernel/limits.ts'
import './quiet.ts'
import { joined } from './batch.ts'
import { logErrors } from './errors.ts'
import { KafkaReader } from './kafka-reader.ts'
import { openKafkaTail } from './kafka-tail.ts'
import { KafkajsAdmin } from './kafkajs-admin.ts'
import { openKafkajsProducer } from './kafkajs-producer.ts'
import { subscribeKafka } from './kafka-subscription.ts'
import type {
  CommittedOffset,
  Log,
  Producer,
  ProducerOptions,
  ReadOptions,
  RecordBatch,
  SubscribeOptions,
  Subscription,
  Tail,
  TailOptions,
  TopicSpec,
} from './log.ts'

export interface KafkaOptions {
  readonly brokers: readonly string[]
  readonly clientId: string
  /** Makes the producers; kafkajs's own where it is not given. */
  readonly openProducer?: (options: ProducerOptions) => Producer
  /** What a person should know, such as a cluster that keeps fewer copies than it could. */
  readonly warn?: (message: string) => void
}

interface Closable {
  close(): Promise<void>
}

/** The log in Kafka: kafkajs for topics and offsets, our own members and fetches. */
export class KafkaLog implements Log {
  private readonly options: KafkaOptions
  private readonly admin: KafkajsAdmin
  private readonly open = new Set<Closable>()
  private reader: KafkaReader | undefined
  private closing: Promise<void> | undefined

  constructor(options: KafkaOptions) {
    this.options = options
    const warn = options.warn ?? (() => undefined)
    this.admin = new KafkajsAdmin(this.kafka(), options.brokers.join(','), warn)
  }

  private kafka(requestTimeout: number = LIMITS.logRequestMsMax): Kafka {
    return new kafkajs.Kafka({
      clientId: this.options.clientId,
      brokers: [...this.options.brokers],
      // What goes wrong is an error of ours, told once.
      logLevel: kafkajs.logLevel.NOTHING,
      connectionTimeout: Math.min(LIMITS.logConnectMsMax, requestTimeout),
      requestTimeout,
      retry: {
        initialRetryTime: LIMITS.logRetryMsMin,
        maxRetryTime: LIMITS.logRetryMsMax,
        retries: LIMITS.logAdminRetriesMax,
      },
    })
  }

  createTopics(specs: readonly TopicSpec[]): Promise<void> {
    return this.admin.createTopics(specs)
  }

  deleteTopics(topics: readonly string[]): Promise<void> {
    return this.admin.deleteTopics(topics)
  }

  partitionCount(topic: string): Promise<number> {
    return this.admin.partitionCount(topic)
  }

  async beginOffsets(topic: string): Promise<readonly number[]> {
    return (await this.admin.offsets(topic)).map(({ begin }) => begin)
  }

  async endOffsets(topic: string): Promise<readonly number[]> {
    return (await this.admin.offsets(topic)).map(({ end }) => end)
  }

  deleteRecords(topic: string, partition: number, before: number): Promise<void> {
    return this.admin.deleteRecords(topic, partition, before)
  }

  committed(group: string, topic: string): Promise<readonly CommittedOffset[]> {
    return this.admin.committed(group, topic)
  }

  async producer(options: ProducerOptions = {}): Promise<Producer> {
    this.refuseClosed()
    const own = this.options.openProducer?.(options)
    if (own !== undefined) return this.tracked(own)
    const timeoutMs = options.requestTimeoutMs ?? LIMITS.logRequestMsMax
    const count = (topic: string) => this.admin.partitionCount(topic)
    return this.tracked(await openKafkajsProducer(this.kafka(timeoutMs), count, timeoutMs))
  }

  async subscribe(options: SubscribeOptions): Promise<Subscription> {
    this.refuseClosed()
    const partitionCounts = new Map<string, number>()
    for (const topic of options.topics) {
      partitionCounts.set(topic, await this.admin.partitionCount(topic))
    }
    const { brokers, clientId } = this.options
    const source = {
      ...{ brokers, clientId, partitionCounts },
      offsetsOf: (topic: string) => this.admin.offsets(topic),
      committed: (group: string, topic: string) => this.admin.committed(group, topic),
    }
    return this.tracked(await subscribeKafka(source, options))
  }

  async *read(options: ReadOptions): AsyncIterable<RecordBatch> {
    this.refuseClosed()
    const { topic, partition } = options
    const partitions = await this.admin.offsets(topic)
    const offsets = partitions[partition]
    if (offsets === undefined) {
      throw logErrors.unknownPartition({ topic, partition, count: partitions.length })
    }
    const from = Math.max(options.from, offsets.begin)
    const to = Math.min(options.to ?? offsets.end, offsets.end)
    const brokers = this.options.brokers
    this.reader ??= new KafkaReader(brokers, this.options.clientId)
    try {
      yield* this.reader.read({ topic, partition, from, to })
    } catch (error) {
      const detail = messageOf(error)
      const where = { brokers: brokers.join(','), what: `read ${topic}:${partition}`, detail }
      throw logErrors.unavailable(where, error)
    }
  }

  async tail(options: TailOptions): Promise<Tail> {
    this.refuseClosed()
    const { brokers, clientId } = this.options
    const offsetsOf = (topic: string) => this.admin.offsets(topic)
    return this.tracked(await openKafkaTail({ brokers, clientId, offsetsOf }, options))
  }

  async readEnd(topic: string, partition: number, count: number): Promise<RecordBatch> {
    const { begin = 0, end = 0 } = (await this.admin.offsets(topic))[partition] ?? {}
    // Where the log has gaps, `count` offsets hold fewer records: look further back, ever further.
    for (let span = count; ; span *= 4) {
      const from = Math.max(begin, end - span)
      const batches: RecordBatch[] = []
      for await (const batch of this.read({ topic, partition, from, to: end })) batches.push(batch)
      const found = batches.reduce((sum, batch) => sum + batch.count, 0)
      if (found < count && from > begin) continue
      return joined(topic, partition, batches, { count, nextOffset: end })
    }
  }

  private tracked<T extends Closable>(resource: T): T {
    const close = resource.close.bind(resource)
    resource.close = async () => {
      this.open.delete(resource)
      await close()
    }
    this.open.add(resource)
    return resource
  }

  private refuseClosed(): void {
    if (this.closing !== undefined) throw logErrors.closed({ what: 'the log' })
  }

  close(): Promise<void> {
    this.closing ??= this.closeAll()
    return this.closing
  }

  private async closeAll(): Promise<void> {
    await Promise.all([...this.open].map((resource) => resource.close()))
    await Promise.all([this.reader?.close(), this.admin.close()])
  }
}
