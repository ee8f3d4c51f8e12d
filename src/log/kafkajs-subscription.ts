import type { Consumer, EachBatchPayload, Kafka, OffsetsByTopicPartition } from 'kafkajs'
import { messageOf } from '../kernel/errors.ts'
import { LIMITS } from '../kernel/limits.ts'
import { logErrors } from './errors.ts'
import { fencedCommit } from './fenced-commit.ts'
import type { CommitFence, KafkajsCommit } from './fenced-commit.ts'
import { meterloomAssigner } from './kafkajs-assigner.ts'
import { kafkajsBatch } from './kafkajs-batch.ts'
import { partitionKey } from './log.ts'
import type { CommitRequest, OwnedPartition, SubscribeOptions, Subscription } from './log.ts'
import { missingIn } from './owned.ts'

export interface KafkajsMembership {
  /** Makes clients whose requests end in time: below the session timeout. */
  readonly kafka: Kafka
  readonly brokers: string
  readonly sessionTimeoutMs: number
  readonly requestTimeoutMs: number
  /** The partitions that each topic had when it was subscribed. */
  readonly partitionCounts: ReadonlyMap<string, number>
}

/** Joins a group. Resolves when the group has taken the member in. */
export async function subscribeKafkajs(
  membership: KafkajsMembership,
  options: SubscribeOptions,
): Promise<Subscription> {
  const consumer = membership.kafka.consumer({
    groupId: options.group,
    partitionAssigners: [meterloomAssigner],
    sessionTimeout: membership.sessionTimeoutMs,
    heartbeatInterval: LIMITS.logHeartbeatMs,
    maxBytesPerPartition: options.fetchBytesMax ?? LIMITS.logFetchBytes,
    maxWaitTimeInMs: LIMITS.logFetchWaitMs,
    allowAutoTopicCreation: false,
    retry: {
      initialRetryTime: LIMITS.logRetryMsMin,
      maxRetryTime: LIMITS.logRetryMsMax,
      retries: LIMITS.logConsumerRetriesMax,
      // A broker that starts refuses joins until it has read its groups, and kafkajs gives up on
      // that.
      restartOnFailure: () => Promise.resolve(member.wantsRestart()),
    },
  })
  const member: KafkajsMember = new KafkajsMember(consumer, membership, options)
  try {
    await consumer.connect()
    await consumer.subscribe({ topics: [...options.topics], fromBeginning: true })
    await member.run()
  } catch (error) {
    await member.close()
    const { brokers } = membership
    throw logErrors.unavailable({ brokers, what: 'subscribe', detail: messageOf(error) }, error)
  }
  return member
}

/**
 * A member of a consumer group through kafkajs 2.2.4, which rebalances eagerly and has no callback
 * for revocation. What holds here:
 *
 * - kafkajs learns of a rebalance by a heartbeat, waits for the handlers that are under way, and
 *   joins anew. What these commit meanwhile still counts: the broker takes commits of the old
 *   generation until all members have joined.
 * - Each join begins a generation of our own counting. kafkajs would commit with whatever
 *   generation is current, and retries over a join; here a commit is tried once a call of kafkajs,
 *   and refused
 *   where the partition was assigned in another generation than the current one.
 * - A broker that is away is waited for, however long: kafkajs starts anew after what may pass.
 *   Only
 *   what cannot pass ends the subscription.
 * - `onRevoked` comes after the join that took partitions away, before `onAssigned`: other members
 *   may own them by then. It is for letting go, not for a last commit.
 * - No batch is handed over before `onAssigned` has settled, nor one that was fetched from before
 *   its
 *   answer, or while its partition is paused.
 */
class KafkajsMember implements Subscription, CommitFence {
  generation = -1
  private joins = 0
  private owned: ReadonlyMap<string, OwnedPartition> = new Map()
  /** What `onAssigned` was last called with. */
  private announced: readonly OwnedPartition[] = []
  /** Settles when all joins so far are handed over. */
  private gate: Promise<void> = Promise.resolve()
  private readonly underWay = new Set<Promise<void>>()
  private readonly paused = new Set<string>()
  private closing: Promise<void> | undefined
  private failed = false
  /** One try of a commit; kafkajs hands it out with each batch. */
  private tryCommit: ((offsets: OffsetsByTopicPartition) => Promise<void>) | undefined
  private readonly consumer: Consumer
  private readonly membership: KafkajsMembership
  private readonly options: SubscribeOptions

  constructor(consumer: Consumer, membership: KafkajsMembership, options: SubscribeOptions) {
    this.consumer = consumer
    this.membership = membership
    this.options = options
  }

  /** Resolves when the group has taken us in. */
  async run(): Promise<void> {
    const { consumer } = this
    const { REBALANCING, GROUP_JOIN, CRASH } = consumer.events
    const first = Promise.withResolvers<undefined>()
    const tooLong = setTimeout(() => {
      first.reject(new Error(`no answer of the group within ${LIMITS.logJoinMsMax} ms`))
    }, LIMITS.logJoinMsMax)
    consumer.on(REBALANCING, () => {
      this.generation = -1
    })
    consumer.on(GROUP_JOIN, ({ payload }) => {
      this.joined(payload.memberAssignment)
      first.resolve(undefined)
    })
    consumer.on(CRASH, ({ payload }) => {
      this.generation = -1
      // It belongs to the membership that is over.
      this.tryCommit = undefined
      if (payload.restart) return
      first.reject(payload.error)
      if (this.joins > 0) this.fail(payload.error)
    })
    try {
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: LIMITS.logHandlersMax,
        eachBatch: (payload) => this.eachBatch(payload),
      })
      await first.promise
    } finally {
      clearTimeout(tooLong)
    }
  }

  wantsRestart(): boolean {
    return this.closing === undefined && !this.failed
  }

  private joined(assignment: Readonly<Record<string, readonly number[]>>): void {
    const generation = ++this.joins
    this.generation = generation
    const owned: OwnedPartition[] = []
    for (const [topic, partitions] of Object.entries(assignment)) {
      for (const partition of partitions) owned.push({ topic, partition, generation })
    }
    this.owned = new Map(owned.map((one) => [partitionKey(one.topic, one.partition), one]))
    // After a new start kafkajs no longer knows what is paused.
    for (const { topic, partition } of owned) {
      if (this.paused.has(partitionKey(topic, partition))) this.pause([{ topic, partition }])
    }
    this.gate = this.gate
      .then(() => this.handOver(generation, owned))
      .catch((error: unknown) => this.fail(error))
  }

  private async handOver(generation: number, owned: readonly OwnedPartition[]): Promise<void> {
    // A join that was overtaken by another one is none that anybody need know of.
    const isOver = () => generation !== this.joins || this.closing !== undefined
    await Promise.allSettled([...this.underWay])
    if (isOver()) return
    this.refuseGrowth(owned)
    const lost = missingIn(owned, this.announced)
    this.announced = owned
    if (lost.length > 0) await this.options.onRevoked(lost)
    if (isOver()) return
    const from = await this.options.onAssigned(owned)
    if (isOver()) return
    for (const { topic, partition } of owned) {
      const offset = from.get(partitionKey(topic, partition))
      if (offset !== undefined) this.consumer.seek({ topic, partition, offset: String(offset) })
    }
  }

  /** Settles when the last join is handed over, even one that came meanwhile. */
  private async handedOver(): Promise<void> {
    let gate: Promise<void>
    do {
      gate = this.gate
      await gate
    } while (gate !== this.gate)
  }

  /** A topic's count is fixed for its life: keys would change their partitions in mid-stream. */
  private refuseGrowth(owned: readonly OwnedPartition[]): void {
    for (const { topic, partition } of owned) {
      const wanted = this.membership.partitionCounts.get(topic) ?? 0
      if (partition < wanted) continue
      throw logErrors.partitionCount({ topic, wanted, found: partition + 1 })
    }
  }

  private async eachBatch(payload: EachBatchPayload): Promise<void> {
    this.tryCommit = (offsets) => payload.commitOffsetsIfNecessary(offsets)
    let lost: unknown
    const beat = setInterval(() => {
      payload.heartbeat().catch((error: unknown) => {
        lost = error
      })
    }, LIMITS.logHeartbeatMs)
    const joins = this.joins
    try {
      await this.handedOver()
      if (lost === undefined && joins === this.joins) await this.handle(payload)
    } catch (error) {
      this.fail(error)
      throw error
    } finally {
      clearInterval(beat)
    }
    // A rebalance that a heartbeat learned of: kafkajs joins anew when it is thrown from here.
    if (lost !== undefined) throw lost as Error
  }

  private async handle(payload: EachBatchPayload): Promise<void> {
    const { topic, partition } = payload.batch
    const key = partitionKey(topic, partition)
    const owned = this.owned.get(key)
    const isCurrent = () =>
      payload.isRunning() && !payload.isStale() && owned?.generation === this.generation
    if (owned === undefined || !isCurrent() || this.failed || this.paused.has(key)) return
    const work = this.options.onBatch(kafkajsBatch(payload.batch), owned)
    this.underWay.add(work)
    try {
      await work
    } finally {
      this.underWay.delete(work)
    }
    if (isCurrent()) payload.resolveOffset(payload.batch.lastOffset())
  }

  private fail(error: unknown): void {
    if (this.failed || this.closing !== undefined) return
    this.failed = true
    this.generation = -1
    this.options.onFailed(error)
    // Leaves the group, so that others need not wait for the session's end to take over.
    void this.close().catch(() => undefined)
  }

  pause(partitions: readonly { topic: string; partition: number }[]): void {
    for (const { topic, partition } of partitions) {
      this.paused.add(partitionKey(topic, partition))
      if (this.closing === undefined) this.consumer.pause([{ topic, partitions: [partition] }])
    }
  }

  resume(partitions: readonly { topic: string; partition: number }[]): void {
    for (const { topic, partition } of partitions) {
      this.paused.delete(partitionKey(topic, partition))
      if (this.closing === undefined) this.consumer.resume([{ topic, partitions: [partition] }])
    }
  }

  commit(requests: readonly CommitRequest[]): Promise<void> {
    return fencedCommit(this, requests)
  }

  get brokers(): string {
    return this.membership.brokers
  }

  get commitMsMax(): number {
    return this.membership.requestTimeoutMs
  }

  /** The generation goes into the request in the turn of the loop that calls this. */
  commitOnce(offsets: readonly KafkajsCommit[]): Promise<void> {
    // Before the first batch of a membership there is only the call that retries by itself.
    if (this.tryCommit === undefined) return this.consumer.commitOffsets([...offsets])
    const byTopic = Map.groupBy(offsets, ({ topic }) => topic)
    return this.tryCommit({
      topics: [...byTopic].map(([topic, partitions]) => ({ topic, partitions })),
    })
  }

  close(): Promise<void> {
    this.closing ??= this.leave()
    return this.closing
  }

  private async leave(): Promise<void> {
    // Waits for the handlers that are under way, whose commits still count.
    await this.consumer.disconnect()
    this.generation = -1
    await this.handedOver()
  }
}
