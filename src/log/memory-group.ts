import { logErrors } from './errors.ts'
import { partitionKey } from './log.ts'
import type { CommitRequest, CommittedOffset, OwnedPartition, SubscribeOptions } from './log.ts'
import { MemoryMember } from './memory-member.ts'
import type { MemberHome } from './memory-member.ts'
import type { MemoryStore } from './memory-store.ts'

/**
 * A consumer group of the memory log. Partitions go round the members in the order they joined. As
 * in Kafka, a new generation begins when the handlers of all members have settled, so that what
 * they commit meanwhile still counts; where none is under way, it begins within the call.
 */
export class MemoryGroup implements MemberHome {
  private readonly store: MemoryStore
  private readonly commits = new Map<string, CommittedOffset>()
  private members: readonly MemoryMember[] = []
  private generation = 0
  private isRebalancing = false

  private readonly onCommitted: (requests: readonly CommitRequest[]) => void

  constructor(store: MemoryStore, onCommitted: (requests: readonly CommitRequest[]) => void) {
    this.store = store
    this.onCommitted = onCommitted
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
    this.onCommitted(requests)
  }

  /** @throws log.unknownTopic */
  join(options: SubscribeOptions): MemoryMember {
    for (const topic of options.topics) this.store.partitions(topic)
    const member = new MemoryMember(this.store, this, options)
    this.enter(member)
    return member
  }

  enter(member: MemoryMember): void {
    this.members = [...this.members, member]
    this.rebalance()
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
