import type { MemoryStore } from './memory-store.ts'
import { partitionKey } from './log.ts'
import type { Tail, TailOptions } from './log.ts'

/** A tail of the memory log: it goes on when it is woken, and waits for no timer. */
export class MemoryTail implements Tail {
  readonly startedAt: ReadonlyMap<string, number>
  private readonly store: MemoryStore
  private readonly options: TailOptions
  private readonly next: Map<string, number>
  private isOver = false
  private pumping: Promise<void> | undefined
  private wokenAgain = false

  constructor(store: MemoryStore, options: TailOptions) {
    this.store = store
    this.options = options
    const starts = options.topics.flatMap((topic) =>
      store.partitions(topic).map(({ end }, partition): [string, number] => {
        const key = partitionKey(topic, partition)
        return [key, Math.max(0, options.from?.get(key) ?? end)]
      }),
    )
    this.startedAt = new Map(starts)
    this.next = new Map(starts)
    this.wake()
  }

  wake(): void {
    this.wokenAgain = true
    this.pumping ??= this.pump().finally(() => {
      this.pumping = undefined
    })
  }

  private async pump(): Promise<void> {
    while (this.wokenAgain && !this.isOver) {
      this.wokenAgain = false
      for (const topic of this.options.topics) {
        for (const partition of this.store.partitions(topic).keys()) {
          await this.pumpPartition(topic, partition)
        }
      }
    }
  }

  private async pumpPartition(topic: string, partition: number): Promise<void> {
    const key = partitionKey(topic, partition)
    while (!this.isOver) {
      const range = { from: this.next.get(key)!, to: Infinity }
      const batch = this.store.slice(topic, partition, range)
      if (batch === undefined) return
      this.next.set(key, batch.nextOffset)
      try {
        await this.options.onBatch(batch)
      } catch (error) {
        this.isOver = true
        this.options.onFailed(error)
      }
    }
  }

  async close(): Promise<void> {
    this.isOver = true
    await this.pumping
  }
}
