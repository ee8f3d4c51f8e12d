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

/** The group as its members see it. */
export interface MemberHome {
  committed(topic: string, partition: number): CommittedOffset | undefined
  commit(requests: readonly CommitRequest[]): void
  enter(member: MemoryMember): void
  leave(member: MemoryMember): void
}

/**
 * A member of a group of the memory log. A test may take it for a process that is stopped:
 * `suspend` and it answers the group no more, `expel` as when its session has timed out, `revive`
 * and it learns what became of it.
 */
export class MemoryMember implements Subscription {
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
  private hasLeft = false
  private answering: PromiseWithResolvers<undefined> | undefined
  private gone = Promise.withResolvers<undefined>()
  private isExpelled = false
  private readonly store: MemoryStore
  private readonly group: MemberHome
  private readonly options: SubscribeOptions

  constructor(store: MemoryStore, group: MemberHome, options: SubscribeOptions) {
    this.store = store
    this.group = group
    this.options = options
    this.topics = options.topics
  }

  /** Hands over nothing more in this generation. Answers the handlers that are under way. */
  hold(): readonly Promise<unknown>[] {
    this.isHeld = true
    const awaited: Promise<unknown>[] = [...this.underWay]
    if (this.answering !== undefined) awaited.push(this.answering.promise)
    else if (this.announced.length > 0 && this.options.onRebalancing !== undefined) {
      const prepared = this.options.onRebalancing(Promise.allSettled(awaited))
      awaited.push(prepared.catch((error: unknown) => this.fail(error)))
    }
    return awaited.map((one) => Promise.race([one, this.gone.promise]))
  }

  suspend(): void {
    this.answering ??= Promise.withResolvers()
  }

  /** The group goes on without it, and it is not told. */
  expel(): void {
    if (this.hasLeft || this.isExpelled) return
    this.isExpelled = true
    this.gone.resolve(undefined)
    this.group.leave(this)
  }

  revive(): void {
    this.answering?.resolve(undefined)
    this.answering = undefined
    if (!this.isExpelled) return
    this.isExpelled = false
    this.gone = Promise.withResolvers()
    this.generation = -1
    this.positions.clear()
    this.group.enter(this)
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
    // The group did not wait for one that it had expelled.
    if (this.underWay.size > 0) await Promise.all(this.underWay)
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
    this.hasLeft = true
    // The group waits no more for one that has left.
    this.gone.resolve(undefined)
    if (!this.isExpelled) this.group.leave(this)
  }

  wake(): void {
    for (const owned of this.owned) {
      const key = partitionKey(owned.topic, owned.partition)
      if (this.busy.has(key) || this.paused.has(key) || !this.holds(owned)) continue
      this.busy.add(key)
      const work = this.drain(owned, key).finally(() => this.underWay.delete(work))
      this.underWay.add(work)
    }
  }

  private async drain(owned: OwnedPartition, key: string): Promise<void> {
    const { topic, partition } = owned
    try {
      while (this.holds(owned) && !this.paused.has(key)) {
        const range = { from: this.positions.get(key)!, to: Infinity }
        const batch = this.store.slice(topic, partition, range)
        if (batch === undefined) return
        await this.options.onBatch(batch, owned)
        if (this.holds(owned)) this.positions.set(key, batch.nextOffset)
      }
    } catch (error) {
      this.fail(error)
    } finally {
      // In the same turn in which there was no batch: what is appended next wakes it again.
      this.busy.delete(key)
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
    // As in a rebalance, what was begun is finished and may be committed.
    const prepared = this.hold()
    this.closed = true
    await Promise.all(prepared)
    this.end()
  }
}
