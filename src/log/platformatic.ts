import { Producer as Client } from '@platformatic/kafka'
import type { MessageToProduce } from '@platformatic/kafka'
import { MeterloomError, messageOf } from '../kernel/errors.ts'
import { partitionOf } from '../kernel/ids.ts'
import { LIMITS } from '../kernel/limits.ts'
import { logErrors } from './errors.ts'
import type { AppendedRange, OutgoingRecord, Producer, ProducerOptions } from './log.ts'
import { checkRecords, recordBytes } from './outgoing.ts'

const EMPTY = Buffer.alloc(0)

type Message = MessageToProduce

/**
 * A producer through @platformatic/kafka, which costs less than half of kafkajs's CPU a record
 * (docs/design.md, Measurements). A topic has one request under way at a time, with one record
 * batch a partition; what is called meanwhile goes out with the next one. So batches grow under
 * load, and the order of calls holds through any retry: the client repeats a request under its
 * sequence numbers, by which the broker knows what it has.
 */
export class PlatformaticProducer implements Producer {
  private readonly client: Client
  private readonly lanes = new Map<string, Lane>()
  private waitingBytes = 0
  private closing: Promise<void> | undefined

  constructor(brokers: readonly string[], clientId: string, options: ProducerOptions = {}) {
    const timeoutMs = options.requestTimeoutMs ?? LIMITS.logRequestMsMax
    this.client = new Client({
      clientId: options.clientId ?? clientId,
      bootstrapBrokers: [...brokers],
      idempotent: true,
      autocreateTopics: false,
      connectTimeout: Math.min(LIMITS.logConnectMsMax, timeoutMs),
      timeout: timeoutMs,
      requestTimeout: timeoutMs,
      retries: LIMITS.logAppendRetriesMax,
      retryDelay: (_client, _operation, attempt) =>
        Math.min(LIMITS.logRetryMsMin * 2 ** attempt, LIMITS.logRetryMsMax),
    })
  }

  append(topic: string, records: readonly OutgoingRecord[]): Promise<readonly AppendedRange[]> {
    if (this.closing !== undefined)
      return Promise.reject(logErrors.closed({ what: 'the producer' }))
    if (records.length === 0) return Promise.resolve([])
    let bytes = 0
    for (const record of records) bytes += recordBytes(record)
    const bytesMax = LIMITS.logWaitingBytesMax
    if (this.waitingBytes > 0 && this.waitingBytes + bytes > bytesMax) {
      return Promise.reject(logErrors.tooMuchWaiting({ topic, bytes, bytesMax }))
    }
    this.waitingBytes += bytes
    let lane = this.lanes.get(topic)
    if (lane === undefined) {
      lane = new Lane(this.client, topic)
      this.lanes.set(topic, lane)
    }
    return lane.append(records).finally(() => {
      this.waitingBytes -= bytes
    })
  }

  close(): Promise<void> {
    this.closing ??= this.finish()
    return this.closing
  }

  private async finish(): Promise<void> {
    await Promise.all([...this.lanes.values()].map((lane) => lane.idle()))
    await this.client.close(true)
  }
}

/** A call of `append` on its way: its first `sent` records are in requests already. */
interface Call {
  readonly records: readonly OutgoingRecord[]
  readonly ranges: Map<number, AppendedRange>
  sent: number
  readonly resolve: (ranges: readonly AppendedRange[]) => void
  readonly reject: (error: unknown) => void
}

/**
 * One request's worth of records: each call in it, and where its first record of a partition lies.
 */
interface Load {
  readonly messages: Message[]
  readonly parts: { readonly call: Call; readonly firsts: ReadonlyMap<number, number> }[]
}

/** The appends to one topic, in the order of their calls. */
class Lane {
  private readonly client: Client
  private readonly topic: string
  private readonly calls: Call[] = []
  private running: Promise<void> | undefined
  private partitionCount: number | undefined

  constructor(client: Client, topic: string) {
    this.client = client
    this.topic = topic
  }

  append(records: readonly OutgoingRecord[]): Promise<readonly AppendedRange[]> {
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
      let load: Load = { messages: [], parts: [] }
      try {
        this.partitionCount ??= await this.countPartitions()
        load = this.take(this.partitionCount)
        if (load.messages.length > 0) await this.send(load)
      } catch (error) {
        this.refuse(load, error)
      }
    }
  }

  /** Takes what fits into one request from the front of the calls. */
  private take(count: number): Load {
    const load: Load = { messages: [], parts: [] }
    const bytes = new Float64Array(count)
    const lengths = new Int32Array(count)
    let total = 0
    for (;;) {
      const call = this.calls[0]
      if (call === undefined) return load
      if (call.sent === 0 && !this.admit(call, count)) continue
      const firsts = new Map<number, number>()
      for (; call.sent < call.records.length; call.sent++) {
        const record = call.records[call.sent]!
        const partition = record.partition ?? partitionOf(record.key ?? EMPTY, count)
        const size = recordBytes(record)
        const isFull =
          bytes[partition]! + size > LIMITS.logAppendBytesMax ||
          total + size > LIMITS.logLoadBytesMax
        // A record that is larger than the bound goes alone.
        if (isFull && load.messages.length > 0) return load
        if (firsts.size === 0) load.parts.push({ call, firsts })
        if (!firsts.has(partition)) firsts.set(partition, lengths[partition]!)
        bytes[partition]! += size
        total += size
        lengths[partition]!++
        load.messages.push(toMessage(this.topic, partition, record))
      }
      this.calls.shift()
    }
  }

  /** Refuses a call that could never succeed, so that it takes no other one with it. */
  private admit(call: Call, count: number): boolean {
    try {
      checkRecords(this.topic, call.records, count)
      return true
    } catch (error) {
      this.calls.shift()
      call.reject(error)
      return false
    }
  }

  private async send({ messages, parts }: Load): Promise<void> {
    const answer = await this.client.send({ messages, acks: -1 })
    const bases = new Map(answer.offsets?.map((one) => [one.partition, Number(one.offset)]))
    for (const { call, firsts } of parts) {
      for (const [partition, index] of firsts) {
        if (call.ranges.has(partition)) continue
        call.ranges.set(partition, { partition, baseOffset: bases.get(partition)! + index })
      }
      if (call.sent === call.records.length) call.resolve([...call.ranges.values()])
    }
  }

  private refuse({ parts }: Load, cause: unknown): void {
    // Before a request could be made all calls fail; afterwards those that had a part in it.
    const failed = new Set(parts.length > 0 ? parts.map(({ call }) => call) : this.calls)
    const left = this.calls.filter((call) => !failed.has(call))
    this.calls.splice(0, this.calls.length, ...left)
    const { topic } = this
    for (const call of failed) {
      const records = call.records.length
      const isOurs = cause instanceof MeterloomError
      const detail = messageOf(cause)
      call.reject(isOurs ? cause : logErrors.appendFailed({ topic, records, detail }, cause))
    }
  }

  private async countPartitions(): Promise<number> {
    const { topic } = this
    try {
      // Tried once: of a topic that is none the client would ask again and again.
      return countIn(await this.client.metadata({ topics: [topic], retries: 0 }), topic)
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

function toMessage(topic: string, partition: number, record: OutgoingRecord): Message {
  const { key, value, headers } = record
  // The client takes what is undefined for null; its types do not say so.
  const message = { topic, partition, key: key ?? undefined, value: value ?? undefined }
  if (headers === undefined) return message as Message
  const entries = Object.entries(headers)
  return {
    ...message,
    headers: new Map(entries.map(([name, bytes]) => [Buffer.from(name), bytes])),
  } as Message
}
