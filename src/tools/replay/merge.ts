import type { FileReading } from './rows.ts'
import type { ReadingSource } from './source.ts'

/** Readings handed over at once by a merged source. */
const BATCH = 512

interface Head {
  readonly source: ReadingSource
  /** Decides between equal times, so that a merge is the same each time. */
  readonly rank: number
  readings: readonly FileReading[]
  index: number
}

/**
 * Merges sources by time: always the source whose next reading is the earliest. The order inside
 * each source stays as it is, also where it goes back in time.
 */
export class MergedSource implements ReadingSource {
  readonly #sources: readonly ReadingSource[]
  /** A binary heap: the head with the earliest reading is the first. */
  readonly #heap: Head[] = []
  #isOpen = false

  constructor(sources: readonly ReadingSource[]) {
    this.#sources = sources
  }

  async next(): Promise<readonly FileReading[] | undefined> {
    if (!this.#isOpen) await this.#open()
    const only = this.#heap.length === 1 ? this.#heap[0]! : undefined
    if (only !== undefined) return this.#drain(only)

    const batch: FileReading[] = []
    while (batch.length < BATCH && this.#heap.length > 0) {
      const head = this.#heap[0]!
      batch.push(head.readings[head.index]!)
      head.index += 1
      if (head.index === head.readings.length) await this.#refill(head)
      this.#sink(0)
    }
    return batch.length > 0 ? batch : undefined
  }

  close(): void {
    for (const source of this.#sources) source.close()
  }

  /** With one source left there is nothing to compare. */
  async #drain(head: Head): Promise<readonly FileReading[]> {
    const rest = head.readings.slice(head.index)
    head.index = head.readings.length
    await this.#refill(head)
    return rest
  }

  async #open(): Promise<void> {
    this.#isOpen = true
    for (const [rank, source] of this.#sources.entries()) {
      const readings = await source.next()
      if (readings !== undefined) this.#heap.push({ source, rank, readings, index: 0 })
    }
    for (let i = this.#heap.length >> 1; i >= 0; i -= 1) this.#sink(i)
  }

  /**
   * Gets the next readings of the head's source, or takes the head out of the heap, which must
   * sink.
   */
  async #refill(head: Head): Promise<void> {
    const readings = await head.source.next()
    if (readings !== undefined) {
      head.readings = readings
      head.index = 0
      return
    }
    const last = this.#heap.pop()!
    if (last !== head) this.#heap[0] = last
  }

  #sink(from: number): void {
    const heap = this.#heap
    let at = from
    for (;;) {
      let first = at
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && isBefore(heap[child]!, heap[first]!)) first = child
      }
      if (first === at) return
      ;[heap[at], heap[first]] = [heap[first]!, heap[at]!]
      at = first
    }
  }
}

function isBefore(a: Head, b: Head): boolean {
  const difference = a.readings[a.index]!.at - b.readings[b.index]!.at
  return difference < 0 || (difference === 0 && a.rank < b.rank)
}
