import { logErrors } from './errors.ts'
import { missingIn } from './owned.ts'
import { partitionKey } from './log.ts'
import type {
  CommitRequest,
  CommittedOffset,
  OwnedPartition,
  SubscribeOptions,
  Subscription,
} from './log.ts'
import type { MemoryStore } from './memory-store.ts'

const BATCH_RECORDS_MAX = 500

/**
 * A consumer group of the memory log. Partitions go round the members in the order they joined. As
 * in Kafka, a new generation begins when the handlers of all members have settled, so that what
 * they commit meanwhile still counts; where none is under way, it begins within the call.
 */
export class MemoryGroup {
  private readonly store: MemoryStore
  private readonly commits = new Map<string, CommittedOffset>()
  private members: readonly MemoryMember[] = []
  private generation = 0
  private isRebalancing = false

  constructor(store: MemoryStore) {
    this.store = store
  }

  committed(topic: string, partition: number): CommittedOffset | undefined {
    return this.commits.get(partitionKey(topic, partition))
  }

  commit(requests: readonly CommitRequest[]): void {
    const current = this.generation
    for (const { topic, partition, generation } of requests) {
      if (generation === current) continue
      throw logErrors.staleGeneration({ topic, partition, generation, current })
    }
    for (const { topic, partition, offset, metadata = '' } of requests) {
      this.commits.set(partitionKey(topic, partition), { offset, metadata })
    }
  }

  /** @throws log.unknownTopic */
  join(options: SubscribeOptions): Subscription {
    for (const topic of options.topics) this.store.partitions(topic)
    const member = new MemoryMember(this.store, this, options)
    this.members = [...this.members, member]
    this.rebalance()
    return member
  }

  leave(member: MemoryMember): void {
    this.members = this.members.filter((other) => other !== member)
    this.rebalance()
  }

  private rebalance(): void {
    // One that waits for handlers takes the members as they are when it goes on.
    if (this.isRebalancing) return
    const underWay = this.members.flatMap((member) => member.hold())
    if (underWay.length === 0) {
      this.assign()
      return
    }
    this.isRebalancing = true
    void Promise.all(underWay).then(() => {
      this.isRebalancing = false
      this.assign()
    })
  }

  private assign(): void {
    const generation = ++this.generation
    const shares = new Map(this.members.map((member) => [member, [] as OwnedPartition[]]))
    for (const topic of new Set(this.members.flatMap((member) => member.topics))) {
      const takers = this.members.filter((member) => member.topics.includes(topic))
      for (const partition of this.store.partitions(topic).keys()) {
        shares.get(takers[partition % takers.length]!)!.push({ topic, partition, generation })
      }
    }
    for (const [member, owned] of shares) member.assign(generation, owned)
  }

  wake(): void {
    for (const member of this.members) member.wake()
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map((member) => member.close()))
  }
}

class MemoryMember implements Subscription {
  generation = -1
  readonly topics: readonly string[]
  private owned: readonly OwnedPartition[] = []
  /** The offset to hand over next; a partition that has none yet gets no batches. */
  private readonly positions = new Map<string, number>()
  private readonly paused = new Set<string>()
  private gate: Promise<void> = Promise.resolve()
  private readonly busy = new Set<string>()
  private readonly underWay = new Set<Promise<void>>()
  private isHeld = false
  /** What `onAssigned` was last called with. */
  private announced: readonly OwnedPartition[] = []
  private closed = false
  private readonly store: MemoryStore
  private readonly group: MemoryGroup
  private readonly options: SubscribeOptions

  constructor(store: MemoryStore, group: MemoryGroup, options: SubscribeOptions) {
    this.store = store
    this.group = group
    this.options = options
    this.topics = options.topics
  }

  /** Hands over nothing more in this generation. Answers the handlers that are under way. */
  hold(): readonly Promise<void>[] {
    this.isHeld = true
    return [...this.underWay]
  }

  assign(generation: number, owned: readonly OwnedPartition[]): void {
    this.generation = generation
    this.owned = owned
    this.isHeld = false
    this.positions.clear()
    this.gate = this.gate
      .then(() => this.handOver(generation, owned))
      .catch((error: unknown) => this.fail(error))
  }

  private async handOver(generation: number, owned: readonly OwnedPartition[]): Promise<void> {
    const isOver = () => generation !== this.generation || this.closed
    if (isOver()) return
    const lost = missingIn(owned, this.announced)
    this.announced = owned
    if (lost.length > 0) await this.options.onRevoked(lost)
    if (isOver()) return
    const from = await this.options.onAssigned(owned)
    if (isOver()) return
    for (const { topic, partition } of owned) {
      const key = partitionKey(topic, partition)
      const committed = this.group.committed(topic, partition)?.offset ?? -1
      this.positions.set(key, from.get(key) ?? Math.max(0, committed))
    }
    this.wake()
  }

  private fail(error: unknown): void {
    if (this.closed) return
    this.end()
    this.options.onFailed(error)
  }

  private end(): void {
    this.closed = true
    this.generation = -1
    this.positions.clear()
    this.group.leave(this)
  }

  wake(): void {
    for (const owned of this.owned) {
      const key = partitionKey(owned.topic, owned.partition)
      if (this.busy.has(key) || this.paused.has(key) || !this.holds(owned)) continue
      this.busy.add(key)
      const work = this.drain(owned, key).finally(() => {
        this.busy.delete(key)
        this.underWay.delete(work)
      })
      this.underWay.add(work)
    }
  }

  private async drain(owned: OwnedPartition, key: string): Promise<void> {
    const { topic, partition } = owned
    try {
      while (this.holds(owned) && !this.paused.has(key)) {
        const range = { from: this.positions.get(key)!, to: Infinity, countMax: BATCH_RECORDS_MAX }
        const batch = this.store.slice(topic, partition, range)
        if (batch === undefined) return
        await this.options.onBatch(batch, owned)
        if (this.holds(owned)) this.positions.set(key, batch.nextOffset)
      }
    } catch (error) {
      this.fail(error)
    }
  }

  private holds({ topic, partition, generation }: OwnedPartition): boolean {
    const isCurrent = !this.closed && !this.isHeld && generation === this.generation
    return isCurrent && this.positions.has(partitionKey(topic, partition))
  }

  pause(partitions: readonly { topic: string; partition: number }[]): void {
    for (const { topic, partition } of partitions) this.paused.add(partitionKey(topic, partition))
  }

  resume(partitions: readonly { topic: string; partition: number }[]): void {
    for (const { topic, partition } of partitions) {
      this.paused.delete(partitionKey(topic, partition))
    }
    this.wake()
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- a throw must become a rejection
  async commit(requests: readonly CommitRequest[]): Promise<void> {
    this.group.commit(requests)
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    await Promise.all(this.underWay)
    this.end()
  }
}
