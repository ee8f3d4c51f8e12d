import { logErrors } from './errors.ts'
import { partitionKey } from './log.ts'
import type {
  CommitRequest,
  CommittedOffset,
  OwnedPartition,
  SubscribeOptions,
  Subscription,
} from './log.ts'
import { memoryBatch } from './memory.ts'
import type { MemoryLog } from './memory.ts'

const BATCH_RECORDS_MAX = 500

/** A consumer group of the memory log: round-robin over its members in the order they joined. */
export class MemoryGroup {
  private readonly log: MemoryLog
  private readonly commits = new Map<string, CommittedOffset>()
  private members: MemoryMember[] = []
  private generation = 0

  constructor(log: MemoryLog) {
    this.log = log
  }

  committed(topic: string, partition: number): CommittedOffset | undefined {
    return this.commits.get(partitionKey(topic, partition))
  }

  commit(request: CommitRequest): void {
    const { topic, partition, generation, offset, metadata = '' } = request
    if (generation !== this.generation) {
      const current = this.generation
      throw logErrors.staleGeneration({ topic, partition, generation, current })
    }
    this.commits.set(partitionKey(topic, partition), { offset, metadata })
  }

  join(options: SubscribeOptions): Subscription {
    const member = new MemoryMember(this.log, this, options)
    this.members = [...this.members, member]
    this.rebalance()
    return member
  }

  leave(member: MemoryMember): void {
    this.members = this.members.filter((other) => other !== member)
    this.rebalance()
  }

  private rebalance(): void {
    const generation = ++this.generation
    const shares = new Map(this.members.map((member) => [member, [] as OwnedPartition[]]))
    for (const topic of new Set(this.members.flatMap((member) => member.topics))) {
      const takers = this.members.filter((member) => member.topics.includes(topic))
      for (const partition of this.log.partitions(topic).keys()) {
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
  private readonly positions = new Map<string, number>()
  private readonly paused = new Set<string>()
  private gate: Promise<void> = Promise.resolve()
  private readonly busy = new Set<string>()
  private readonly under = new Set<Promise<void>>()
  private closed = false
  private readonly log: MemoryLog
  private readonly group: MemoryGroup
  private readonly options: SubscribeOptions

  constructor(log: MemoryLog, group: MemoryGroup, options: SubscribeOptions) {
    this.log = log
    this.group = group
    this.options = options
    this.topics = options.topics
  }

  assign(generation: number, owned: readonly OwnedPartition[]): void {
    const before = this.owned
    this.generation = generation
    this.owned = owned
    // Nothing is handed over before `onAssigned` has said where to begin.
    this.positions.clear()
    const lost = before.filter(
      (old) => !owned.some((now) => now.topic === old.topic && now.partition === old.partition),
    )
    this.gate = this.gate
      .then(async () => {
        // Handlers of the old generation finish first, as a client's poll loop would have them.
        await Promise.all(this.under)
        if (lost.length > 0) await this.options.onRevoked(lost)
        if (generation !== this.generation || this.closed) return
        const from = await this.options.onAssigned(owned)
        for (const { topic, partition } of owned) {
          const key = partitionKey(topic, partition)
          const committed = this.group.committed(topic, partition)?.offset ?? -1
          this.positions.set(key, from.get(key) ?? Math.max(0, committed))
        }
        this.wake()
      })
      .catch((error: unknown) => this.fail(error))
  }

  private fail(error: unknown): void {
    if (this.closed) return
    this.closed = true
    this.group.leave(this)
    this.options.onFailed(error)
  }

  wake(): void {
    for (const owned of this.owned) {
      const key = partitionKey(owned.topic, owned.partition)
      if (this.busy.has(key) || this.paused.has(key) || this.closed) continue
      this.busy.add(key)
      const work = this.drain(owned, key).finally(() => {
        this.busy.delete(key)
        this.under.delete(work)
      })
      this.under.add(work)
    }
  }

  private async drain(owned: OwnedPartition, key: string): Promise<void> {
    try {
      while (this.holds(owned) && !this.paused.has(key)) {
        const from = this.positions.get(key) ?? 0
        const records = this.log
          .partitions(owned.topic)
          [owned.partition]!.filter((record) => record.offset >= from)
          .slice(0, BATCH_RECORDS_MAX)
        if (records.length === 0) return
        const next = records.at(-1)!.offset + 1
        await this.options.onBatch(memoryBatch(owned.topic, owned.partition, records, next), owned)
        if (this.holds(owned)) this.positions.set(key, next)
      }
    } catch (error) {
      this.fail(error)
    }
  }

  private holds(owned: OwnedPartition): boolean {
    return (
      !this.closed &&
      owned.generation === this.generation &&
      this.positions.has(partitionKey(owned.topic, owned.partition))
    )
  }

  pause(partitions: readonly { topic: string; partition: number }[]): void {
    for (const { topic, partition } of partitions) this.paused.add(partitionKey(topic, partition))
  }

  resume(partitions: readonly { topic: string; partition: number }[]): void {
    for (const { topic, partition } of partitions)
      this.paused.delete(partitionKey(topic, partition))
    this.wake()
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- a throw must become a rejection
  async commit(requests: readonly CommitRequest[]): Promise<void> {
    for (const request of requests) this.group.commit(request)
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    await Promise.all(this.under)
    this.generation = -1
    this.group.leave(this)
  }
}
