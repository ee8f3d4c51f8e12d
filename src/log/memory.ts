import type { Clock } from '../kernel/time.ts'
import { logErrors } from './errors.ts'
import type {
  AppendedRange,
  CommitRequest,
  CommittedOffset,
  Log,
  OutgoingRecord,
  Producer,
  ReadOptions,
  RecordBatch,
  SubscribeOptions,
  Tail,
  TailOptions,
  TopicSpec,
} from './log.ts'
import { MemoryGroup } from './memory-group.ts'
import type { MemoryMember } from './memory-member.ts'
import { MemoryStore } from './memory-store.ts'
import { MemoryTail } from './memory-tail.ts'
import { asRecords } from './outgoing.ts'

export interface MemoryLogOptions {
  /** How many records the next batch holds at most, so that a test may shuffle their borders. */
  readonly batchRecords?: () => number
}

/**
 * The log in memory, for tests: append times come from a clock that is handed in, nothing waits for
 * a timer, and with the same calls all happens in the same order from run to run. Methods are async
 * so that what they throw is a rejection, as of any other adapter.
 */
/* eslint-disable @typescript-eslint/require-await -- see above */
export class MemoryLog implements Log {
  private readonly store: MemoryStore
  private readonly groups = new Map<string, MemoryGroup>()
  private readonly tails = new Set<MemoryTail>()

  /** Told of each commit that was taken, in the same turn. */
  onCommitted: (requests: readonly CommitRequest[]) => void = () => undefined

  constructor(clock: Clock, options: MemoryLogOptions = {}) {
    this.store = new MemoryStore(clock, options.batchRecords)
  }

  async createTopics(specs: readonly TopicSpec[]): Promise<void> {
    for (const { topic, partitions: wanted } of specs) {
      if (!this.store.has(topic)) this.store.create(topic, wanted)
      const found = this.store.partitions(topic).length
      if (found !== wanted) throw logErrors.partitionCount({ topic, wanted, found })
    }
  }

  async deleteTopics(topics: readonly string[]): Promise<void> {
    for (const topic of topics) this.store.delete(topic)
  }

  async partitionCount(topic: string): Promise<number> {
    return this.store.partitions(topic).length
  }

  async beginOffsets(topic: string): Promise<readonly number[]> {
    return this.store.partitions(topic).map(({ begin }) => begin)
  }

  async endOffsets(topic: string): Promise<readonly number[]> {
    return this.store.partitions(topic).map(({ end }) => end)
  }

  async deleteRecords(topic: string, partition: number, before: number): Promise<void> {
    this.store.free(topic, partition, before)
  }

  async committed(group: string, topic: string): Promise<readonly CommittedOffset[]> {
    const found = this.groups.get(group)
    return this.store
      .partitions(topic)
      .map((_, partition) => found?.committed(topic, partition) ?? { offset: -1, metadata: '' })
  }

  /** Appends at once; what a producer calls. */
  appendNow(topic: string, records: readonly OutgoingRecord[]): readonly AppendedRange[] {
    const ranges = this.store.append(topic, records)
    for (const group of this.groups.values()) group.wake()
    for (const tail of this.tails) tail.wake()
    return ranges
  }

  /** Leaves out the next offsets of a partition: the log has a gap there. */
  skipOffsets(topic: string, partition: number, offsets: number): void {
    this.store.skip(topic, partition, offsets)
  }

  async producer(): Promise<Producer> {
    let closed = false
    return {
      append: async (topic, records) => {
        if (closed) throw logErrors.closed({ what: 'the producer' })
        return this.appendNow(topic, asRecords(records))
      },
      close: async () => {
        closed = true
      },
    }
  }

  async subscribe(options: SubscribeOptions): Promise<MemoryMember> {
    let group = this.groups.get(options.group)
    if (group === undefined) {
      group = new MemoryGroup(this.store, (requests) => this.onCommitted(requests))
      this.groups.set(options.group, group)
    }
    return group.join(options)
  }

  async *read(options: ReadOptions): AsyncIterable<RecordBatch> {
    const { topic, partition, to = this.store.partition(topic, partition).end } = options
    let from = options.from
    for (;;) {
      const batch = this.store.slice(topic, partition, { from, to })
      if (batch === undefined) return
      yield batch
      from = batch.nextOffset
    }
  }

  async tail(options: TailOptions): Promise<Tail> {
    const tail = new MemoryTail(this.store, options)
    this.tails.add(tail)
    return tail
  }

  async readEnd(topic: string, partition: number, count: number): Promise<RecordBatch> {
    return this.store.tail(topic, partition, count)
  }

  async close(): Promise<void> {
    const open = [...this.groups.values(), ...this.tails]
    await Promise.all(open.map((one) => one.close()))
  }
}
