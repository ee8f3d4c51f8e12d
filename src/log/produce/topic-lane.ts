import type { Producer as Client } from '@platformatic/kafka'
import { MeterloomError, messageOf } from '../../kernel/errors.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { logErrors } from '../errors.ts'
import type { AppendedRange } from '../log.ts'
import { BatchWriter } from './batch-writer.ts'
import type { OutgoingList } from './outgoing-list.ts'
import { type Outbound, TopicSender } from './topic-sender.ts'

const NONE = -1

/** A call of `append` on its way: its first `sent` records are in requests already. */
interface Call {
  readonly records: OutgoingList
  readonly ranges: Map<number, AppendedRange>
  sent: number
  readonly resolve: (ranges: readonly AppendedRange[]) => void
  readonly reject: (error: unknown) => void
}

/** What a request holds of a call: the place of its first record in each partition's batch. */
interface Part {
  readonly call: Call
  readonly firsts: Int32Array
}

/**
 * The appends to one topic, in the order of their calls. One request's worth is under way at a
 * time, with one batch a partition; what is called meanwhile goes out with the next one.
 */
export class TopicLane {
  private readonly client: Client
  private readonly topic: string
  private readonly sender: TopicSender
  private readonly calls: Call[] = []
  private running: Promise<void> | undefined
  /** By partition; empty until its count is known. */
  private writers: BatchWriter[] = []

  constructor(client: Client, topic: string, timeoutMs: number) {
    this.client = client
    this.topic = topic
    this.sender = new TopicSender(client, topic, timeoutMs)
  }

  append(records: OutgoingList): Promise<readonly AppendedRange[]> {
    return new Promise((resolve, reject) => {
      this.calls.push({ records, ranges: new Map(), sent: 0, resolve, reject })
      this.running ??= this.run().finally(() => {
        this.running = undefined
      })
    })
  }

  async idle(): Promise<void> {
    await this.running
  }

  private async run(): Promise<void> {
    // What else is called in this turn of the loop shares the request.
    await Promise.resolve()
    while (this.calls.length > 0) {
      let parts: Part[] = []
      try {
        if (this.writers.length === 0) {
          const count = await this.countPartitions()
          this.writers = Array.from({ length: count }, () => new BatchWriter())
        }
        parts = this.take()
        if (parts.length > 0) await this.send(parts)
      } catch (error) {
        this.refuse(parts, error)
      }
    }
  }

  /** Writes what fits into one request, from the front of the calls, into batches. */
  private take(): Part[] {
    const { writers } = this
    const parts: Part[] = []
    this.clearWriters()
    let total = 0
    for (;;) {
      const call = this.calls[0]
      if (call === undefined) return parts
      if (call.sent === 0 && !this.admit(call)) continue
      let firsts: Int32Array | undefined
      for (; call.sent < call.records.count; call.sent++) {
        const partition = call.records.partitionOf(call.sent, writers.length)
        const writer = writers[partition]!
        const size = call.records.sizeOf(call.sent)
        const isFull =
          writer.length + size > LIMITS.logAppendBytesMax || total + size > LIMITS.logLoadBytesMax
        // A record that is larger than the bound goes alone.
        if (isFull && parts.length > 0) return parts
        if (firsts === undefined) {
          firsts = new Int32Array(writers.length).fill(NONE)
          parts.push({ call, firsts })
        }
        if (firsts[partition] === NONE) firsts[partition] = writer.count
        total += size
        call.records.addTo(writer, call.sent)
      }
      this.calls.shift()
    }
  }

  /** The memory of a large request is kept for the next one; that of more than one is not. */
  private clearWriters(): void {
    const kept = this.writers.reduce((sum, { capacity }) => sum + capacity, 0)
    const isMuch = kept > LIMITS.logLoadBytesMax
    for (const [partition, writer] of this.writers.entries()) {
      if (isMuch) this.writers[partition] = new BatchWriter()
      else writer.clear()
    }
  }

  /** Refuses a call that could never succeed, so that it takes no other one with it. */
  private admit(call: Call): boolean {
    try {
      call.records.check(this.topic, this.writers.length)
      return true
    } catch (error) {
      this.calls.shift()
      call.reject(error)
      return false
    }
  }

  private async send(parts: readonly Part[]): Promise<void> {
    const batches: Outbound[] = []
    for (const [partition, writer] of this.writers.entries()) {
      if (writer.count > 0) batches.push({ partition, writer, baseOffset: NONE })
    }
    await this.sender.send(batches)
    for (const { call, firsts } of parts) {
      for (const { partition, baseOffset } of batches) {
        const first = firsts[partition]!
        if (first === NONE || call.ranges.has(partition)) continue
        call.ranges.set(partition, { partition, baseOffset: baseOffset + first })
      }
      if (call.sent === call.records.count) call.resolve([...call.ranges.values()])
    }
  }

  private refuse(parts: readonly Part[], cause: unknown): void {
    // Before a request could be made all calls fail; afterwards those that had a part in it.
    const failed = new Set(parts.length > 0 ? parts.map(({ call }) => call) : this.calls)
    const left = this.calls.filter((call) => !failed.has(call))
    this.calls.splice(0, this.calls.length, ...left)
    const { topic } = this
    for (const call of failed) {
      const records = call.records.count
      const isOurs = cause instanceof MeterloomError
      const detail = messageOf(cause)
      call.reject(isOurs ? cause : logErrors.appendFailed({ topic, records, detail }, cause))
    }
  }

  private async countPartitions(): Promise<number> {
    const { topic } = this
    try {
      // Tried once: of a topic that is none the client would ask again and again.
      const known = await this.client.metadata({ topics: [topic], retries: 0 })
      if (known.topics.get(topic) !== undefined) return countIn(known, topic)
      // Of a topic that another call forgot meanwhile there is nothing: it is asked for anew.
      const asked = { topics: [topic], retries: 0, forceUpdate: true }
      return countIn(await this.client.metadata(asked), topic)
    } catch (error) {
      if (isUnknownTopic(error)) throw logErrors.unknownTopic({ topic }, error)
      return countIn(await this.client.metadata({ topics: [topic] }), topic)
    }
  }
}

type Metadata = Awaited<ReturnType<Client['metadata']>>

function countIn(metadata: Metadata, topic: string): number {
  const found = metadata.topics.get(topic)
  if (found === undefined) throw logErrors.unknownTopic({ topic })
  return found.partitionsCount
}

/** The client has no code of its own for it. */
function isUnknownTopic(error: unknown): boolean {
  return messageOf(error).startsWith('Unknown topic')
}
