import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../kernel/errors.ts'
import { LIMITS } from '../kernel/limits.ts'
import { logErrors } from './errors.ts'
import { type CommitFence, fencedCommit } from './fenced-commit.ts'
import type { OffsetToCommit } from './group/coordinator.ts'
import { GroupMember } from './group/member.ts'
import type { Share } from './group/wire.ts'
import { type FetchedRecords, KafkaFetcher, type Leaders } from './kafka-fetch.ts'
import { partitionKey } from './log.ts'
import type {
  CommitRequest,
  CommittedOffset,
  OwnedPartition,
  SubscribeOptions,
  Subscription,
} from './log.ts'
import { missingIn } from './owned.ts'
import { patiently } from './patience.ts'
import { readRecordSet } from './record-set.ts'

export interface SubscriptionSource {
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly partitionCounts: ReadonlyMap<string, number>
  offsetsOf(topic: string): Promise<readonly { begin: number; end: number }[]>
  committed(group: string, topic: string): Promise<readonly CommittedOffset[]>
}

/** Joins a group; resolves when it has taken the member in. @throws log.unavailable */
export async function subscribeKafka(
  source: SubscriptionSource,
  options: SubscribeOptions,
): Promise<Subscription> {
  const subscription = new KafkaSubscription(source, options)
  try {
    await subscription.start()
  } catch (error) {
    await subscription.close()
    const brokers = source.brokers.join(',')
    throw logErrors.unavailable({ brokers, what: 'subscribe', detail: messageOf(error) }, error)
  }
  return subscription
}

interface Place {
  readonly topic: string
  readonly partition: number
  readonly owned: OwnedPartition
  next: number
  isBusy: boolean
}

/**
 * A member of a group that fetches what it owns.
 *
 * - `onRevoked` comes after the join that took partitions away, before `onAssigned`: other members
 *   may own them by then. It is for letting go, not for a last commit: `onRebalancing` is, which
 *   comes before the join, and so does the end of what is under way when a rebalance begins.
 * - No batch is handed over before `onAssigned` has settled.
 */
class KafkaSubscription implements Subscription, CommitFence {
  readonly brokers: string
  readonly commitMsMax: number
  private readonly source: SubscriptionSource
  private readonly options: SubscribeOptions
  private readonly member: GroupMember
  private readonly fetcher: KafkaFetcher
  /** By partition; empty until a join is handed over. */
  private places: ReadonlyMap<string, Place> = new Map()
  private announced: readonly OwnedPartition[] = []
  private gate: Promise<void> = Promise.resolve()
  private readonly underWay = new Set<Promise<void>>()
  private readonly paused = new Set<string>()
  private round = new AbortController()
  private wake = Promise.withResolvers<undefined>()
  private failed = false
  private closing: Promise<void> | undefined
  private fetching: Promise<void> = Promise.resolve()

  constructor(source: SubscriptionSource, options: SubscribeOptions) {
    this.source = source
    this.options = options
    this.brokers = source.brokers.join(',')
    const { brokers, clientId, partitionCounts } = source
    const sessionTimeoutMs = options.sessionTimeoutMs ?? LIMITS.logSessionMs
    // A request must have failed while the session still holds: afterwards another member owns.
    const requestTimeoutMs = Math.min(LIMITS.logRequestMsMax, Math.floor(sessionTimeoutMs / 2))
    this.commitMsMax = requestTimeoutMs
    this.fetcher = new KafkaFetcher(brokers, clientId)
    this.member = new GroupMember({
      ...{ brokers, clientId, partitionCounts, sessionTimeoutMs, requestTimeoutMs },
      group: options.group,
      topics: options.topics,
      rebalanceTimeoutMs: LIMITS.logRebalanceMsMax,
      quiesce: () => this.quiesce(),
      onJoined: (generation, share) => this.joined(generation, share),
      onFailed: (error) => this.fail(error),
    })
  }

  get generation(): number {
    return this.failed ? -1 : this.member.generation
  }

  async start(): Promise<void> {
    await this.member.start()
    this.fetching = this.fetchOn()
  }

  private isOver(): boolean {
    return this.failed || this.closing !== undefined
  }

  private async quiesce(): Promise<void> {
    this.places = new Map()
    this.round.abort()
    const settled = Promise.allSettled([...this.underWay])
    await Promise.all([settled, !this.failed && this.options.onRebalancing?.(settled)])
  }

  private joined(generation: number, share: Share): void {
    const owned = [...share].flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic, partition, generation })),
    )
    this.gate = this.gate
      .then(() => this.handOver(generation, owned))
      .catch((error: unknown) => this.fail(error))
  }

  private async handOver(generation: number, owned: readonly OwnedPartition[]): Promise<void> {
    // A join that was overtaken by another one is none that anybody need know of.
    const isOver = () => generation !== this.member.joined || this.isOver()
    await Promise.allSettled([...this.underWay])
    if (isOver()) return
    const lost = missingIn(owned, this.announced)
    this.announced = owned
    if (lost.length > 0) await this.options.onRevoked(lost)
    if (isOver()) return
    const assign = async () => this.placesOf(owned, await this.options.onAssigned(owned))
    const places = await patiently(assign, isOver, sleep)
    if (places === undefined || isOver()) return
    this.places = places
    this.round.abort()
    this.stir()
  }

  private async placesOf(
    owned: readonly OwnedPartition[],
    from: ReadonlyMap<string, number>,
  ): Promise<ReadonlyMap<string, Place>> {
    const places = new Map<string, Place>()
    for (const [topic, list] of Map.groupBy(owned, (one) => one.topic)) {
      const offsets = await this.source.offsetsOf(topic)
      this.refuseGrowth(topic, offsets.length)
      const isLeftOut = list.some((one) => !from.has(partitionKey(topic, one.partition)))
      const committed = isLeftOut ? await this.source.committed(this.options.group, topic) : []
      for (const one of list) {
        const { partition } = one
        const key = partitionKey(topic, partition)
        const begin = offsets[partition]?.begin ?? 0
        const next = Math.max(begin, from.get(key) ?? committed[partition]?.offset ?? begin)
        places.set(key, { topic, partition, owned: one, next, isBusy: false })
      }
    }
    return places
  }

  /** A topic's count is fixed for its life: keys would change their partitions in mid-stream. */
  private refuseGrowth(topic: string, found: number): void {
    const wanted = this.source.partitionCounts.get(topic) ?? 0
    if (found !== wanted) throw logErrors.partitionCount({ topic, wanted, found })
  }

  /** There may be something to fetch that was not there before. */
  private stir(): void {
    const { resolve } = this.wake
    this.wake = Promise.withResolvers<undefined>()
    resolve(undefined)
  }

  private async fetchOn(): Promise<void> {
    let pauseMs: number = LIMITS.logRetryMsMin
    while (!this.isOver()) {
      const { places } = this
      if (places.size === 0) {
        await this.wake.promise
        continue
      }
      const round = new AbortController()
      this.round = round
      try {
        const leaders = await this.fetcher.leaders([...places.values()], true)
        const follow = (node: number) => this.follow(node, leaders, round)
        await Promise.all([...leaders.byNode.keys()].map(follow))
        pauseMs = LIMITS.logRetryMsMin
      } catch {
        round.abort()
        if (this.isOver()) return
        await sleep(pauseMs)
        pauseMs = Math.min(2 * pauseMs, LIMITS.logRetryMsMax)
        await this.clamp(places)
      }
    }
  }

  /** Retention may have overtaken a place, as it would any other reader's. */
  private async clamp(places: ReadonlyMap<string, Place>): Promise<void> {
    for (const [topic, list] of Map.groupBy(places.values(), (one) => one.topic)) {
      const offsets = await this.source.offsetsOf(topic).catch(() => [])
      for (const place of list) {
        const { begin = 0 } = offsets[place.partition] ?? {}
        if (!place.isBusy) place.next = Math.max(place.next, begin)
      }
    }
  }

  private async follow(node: number, leaders: Leaders, round: AbortController): Promise<void> {
    const places = (leaders.byNode.get(node) ?? []) as readonly Place[]
    const partitionBytesMax = this.options.fetchBytesMax ?? LIMITS.logFetchBytes
    const options = { waitMs: LIMITS.logFetchWaitMs, partitionBytesMax }
    const isOver = () => round.signal.aborted || this.isOver()
    while (!isOver()) {
      const { promise: woken } = this.wake
      const idle = places.filter((place) => !place.isBusy && !this.isPaused(place))
      if (idle.length === 0 || this.underWay.size >= LIMITS.logHandlersMax) {
        await woken
        continue
      }
      for (const found of await this.fetcher.fetch(node, idle, leaders, options)) {
        if (!isOver()) this.take(found)
      }
    }
  }

  private isPaused({ topic, partition }: Place): boolean {
    return this.paused.has(partitionKey(topic, partition))
  }

  private take({ topic, partition, records }: FetchedRecords): void {
    const place = this.places.get(partitionKey(topic, partition))
    if (place === undefined || place.isBusy || this.isPaused(place)) return
    if (place.owned.generation !== this.generation) return
    const batch = readRecordSet(records, { topic, partition, from: place.next, to: Infinity })
    place.next = batch.nextOffset
    if (batch.count === 0) return
    place.isBusy = true
    const work = this.options
      .onBatch(batch, place.owned)
      .catch((error: unknown) => this.fail(error))
      .finally(() => {
        place.isBusy = false
        this.underWay.delete(work)
        this.stir()
      })
    this.underWay.add(work)
  }

  private fail(error: unknown): void {
    if (this.isOver()) return
    this.failed = true
    this.options.onFailed(error)
    void this.close().catch(() => undefined)
  }

  pause(partitions: readonly { topic: string; partition: number }[]): void {
    for (const { topic, partition } of partitions) this.paused.add(partitionKey(topic, partition))
  }

  resume(partitions: readonly { topic: string; partition: number }[]): void {
    for (const one of partitions) this.paused.delete(partitionKey(one.topic, one.partition))
    this.stir()
  }

  commit(requests: readonly CommitRequest[]): Promise<void> {
    return fencedCommit(this, requests)
  }

  async commitOnce(offsets: readonly OffsetToCommit[]): Promise<void> {
    const membership = this.member.current
    // Asked in the same turn in which the generation was found to be current.
    if (membership === undefined) throw logErrors.closed({ what: 'the subscription' })
    await this.member.coordinator.commit(membership, offsets)
  }

  close(): Promise<void> {
    this.closing ??= this.leave()
    return this.closing
  }

  private async leave(): Promise<void> {
    this.round.abort()
    this.stir()
    // What is under way settles first: its commits still count.
    await this.member.close()
    await this.gate
    await this.fetching
    await this.fetcher.close()
  }
}
