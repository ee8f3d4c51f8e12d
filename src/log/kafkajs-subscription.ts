import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs'
import { messageOf } from '../kernel/errors.ts'
import { toBatch } from './batch.ts'
import type { IncomingRecord } from './batch.ts'
import { logErrors } from './errors.ts'
import { partitionKey } from './log.ts'
import type {
  CommitRequest,
  OwnedPartition,
  RecordBatch,
  SubscribeOptions,
  Subscription,
} from './log.ts'

const SESSION_TIMEOUT_MS = 30_000
const HEARTBEAT_MS = 500
/** Partitions whose handlers may be under way at once; each partition's batches stay one at a time. */
const CONCURRENCY = 8

/**
 * A member of a consumer group through kafkajs 2.2.4.
 *
 * kafkajs rebalances eagerly and has no callback for revocation: when a heartbeat learns of a rebalance it
 * joins anew, and tells of it by GROUP_JOIN. So each join makes a generation of our own (kafkajs would
 * commit with whatever is current); `onRevoked` comes with the join that took the partitions away, before
 * `onAssigned`; what the old generation still wants to commit is refused here.
 */
export async function subscribeKafka(
  kafka: Kafka,
  options: SubscribeOptions,
): Promise<Subscription> {
  const consumer = kafka.consumer({
    groupId: options.group,
    sessionTimeout: options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS,
    heartbeatInterval: HEARTBEAT_MS,
    maxBytesPerPartition: options.fetchBytesMax ?? 1024 * 1024,
    maxWaitTimeInMs: 50,
    allowAutoTopicCreation: false,
    retry: {
      initialRetryTime: 100,
      maxRetryTime: 2_000,
      retries: 20,
      // What kafkajs cannot mend by retrying, a new process mends: it has been seen to stop in silence.
      restartOnFailure: () => Promise.resolve(false),
    },
  })
  const member = new Member(consumer, options)
  await consumer.connect()
  for (const topic of options.topics) await consumer.subscribe({ topic, fromBeginning: true })
  await member.run()
  return member
}

class Member implements Subscription {
  generation = -1
  private joins = 0
  private owned: readonly OwnedPartition[] = []
  /** Settles when the current generation's `onAssigned` has: no batch is handed over before. */
  private gate: Promise<void> = Promise.resolve()
  private readonly paused = new Set<string>()
  private closing = false
  private failed = false
  private readonly consumer: Consumer
  private readonly options: SubscribeOptions

  constructor(consumer: Consumer, options: SubscribeOptions) {
    this.consumer = consumer
    this.options = options
  }

  async run(): Promise<void> {
    const { consumer } = this
    consumer.on(consumer.events.REBALANCING, () => {
      this.generation = -1
    })
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => this.joined(payload.memberAssignment))
    consumer.on(consumer.events.CRASH, ({ payload }) => this.fail(payload.error))
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: CONCURRENCY,
      eachBatch: (payload) => this.eachBatch(payload),
    })
  }

  private joined(assignment: Record<string, number[]>): void {
    const before = this.owned
    const generation = ++this.joins
    this.generation = generation
    const owned: OwnedPartition[] = []
    for (const [topic, partitions] of Object.entries(assignment)) {
      for (const partition of partitions) owned.push({ topic, partition, generation })
    }
    this.owned = owned
    const lost = before.filter(
      (old) => !owned.some((now) => now.topic === old.topic && now.partition === old.partition),
    )
    this.gate = this.gate
      .then(async () => {
        if (lost.length > 0) await this.options.onRevoked(lost)
        // A later join overtook this one: its own turn comes next.
        if (generation !== this.joins || this.closing) return
        const from = await this.options.onAssigned(owned)
        if (generation !== this.joins) return
        for (const { topic, partition } of owned) {
          const offset = from.get(partitionKey(topic, partition))
          if (offset !== undefined) this.consumer.seek({ topic, partition, offset: String(offset) })
          // kafkajs forgets nothing of what is paused over a join, but new partitions may be among it.
          if (this.paused.has(partitionKey(topic, partition))) {
            this.consumer.pause([{ topic, partitions: [partition] }])
          }
        }
      })
      .catch((error: unknown) => this.fail(error))
  }

  private fail(error: unknown): void {
    if (this.failed || this.closing) return
    this.failed = true
    this.options.onFailed(error)
  }

  private async eachBatch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload
    const { topic, partition } = batch
    const join = this.joins
    let lost: unknown
    const beat = setInterval(() => {
      payload.heartbeat().catch((error: unknown) => {
        lost = error
      })
    }, HEARTBEAT_MS)
    try {
      await this.gate
      const owned = this.owned.find((o) => o.topic === topic && o.partition === partition)
      const current = () => payload.isRunning() && !payload.isStale() && join === this.joins
      const usable = current() && !this.failed && !this.closing
      if (usable && owned !== undefined && lost === undefined) {
        await this.options.onBatch(columns(batch), owned)
        if (current()) payload.resolveOffset(batch.lastOffset())
      }
    } catch (error) {
      this.fail(error)
      throw error
    } finally {
      clearInterval(beat)
    }
    // A rebalance that a heartbeat learned of: kafkajs joins anew when it is thrown from here.
    if (lost !== undefined) throw asError(lost)
  }

  pause(partitions: readonly { topic: string; partition: number }[]): void {
    for (const { topic, partition } of partitions) {
      this.paused.add(partitionKey(topic, partition))
      this.consumer.pause([{ topic, partitions: [partition] }])
    }
  }

  resume(partitions: readonly { topic: string; partition: number }[]): void {
    for (const { topic, partition } of partitions) {
      this.paused.delete(partitionKey(topic, partition))
      this.consumer.resume([{ topic, partitions: [partition] }])
    }
  }

  async commit(requests: readonly CommitRequest[]): Promise<void> {
    for (const { topic, partition, generation } of requests)
      this.refuseStale(topic, partition, generation)
    try {
      await this.consumer.commitOffsets(
        requests.map(({ topic, partition, offset, metadata }) => ({
          topic,
          partition,
          offset: String(offset),
          metadata: metadata ?? null,
        })),
      )
    } catch (error) {
      const first = requests[0]
      if (first !== undefined) this.refuseStale(first.topic, first.partition, first.generation)
      throw logErrors.unavailable({ brokers: '', what: 'commit', detail: messageOf(error) }, error)
    }
  }

  private refuseStale(topic: string, partition: number, generation: number): void {
    if (generation === this.generation) return
    throw logErrors.staleGeneration({ topic, partition, generation, current: this.generation })
  }

  async close(): Promise<void> {
    if (this.closing) return
    this.closing = true
    await this.consumer.disconnect()
    this.generation = -1
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(messageOf(thrown))
}

type Incoming = IncomingRecord & { readonly message: KafkaMessage }

function columns(batch: EachBatchPayload['batch']): RecordBatch {
  const records = batch.messages.map((message): Incoming => ({
    offset: Number(message.offset),
    appendMillis: Number(message.timestamp),
    key: message.key,
    value: message.value,
    message,
  }))
  const next = Number(batch.lastOffset()) + 1
  return toBatch(batch.topic, batch.partition, records, next, ({ message }, name) => {
    const found = message.headers?.[name]
    const one = Array.isArray(found) ? found.at(-1) : found
    return typeof one === 'string' ? Buffer.from(one) : one
  })
}
