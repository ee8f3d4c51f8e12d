import { Producer as Client } from '@platformatic/kafka'
import { messageOf } from '../kernel/errors.ts'
import { partitionOf } from '../kernel/ids.ts'
import { logErrors } from './errors.ts'
import type { AppendedRange, OutgoingRecord, Producer, ProducerOptions } from './log.ts'

const REQUEST_TIMEOUT_MS = 15_000
const EMPTY = Buffer.alloc(0)

/**
 * A producer through @platformatic/kafka, which costs less than half of kafkajs's CPU a record
 * (docs/design.md, Measurements). One request at a time and one record batch a partition: what is called
 * while a request is under way goes out with the next one, so that the order of calls holds through any
 * retry and the batches grow under load.
 */
export class PlatformaticProducer implements Producer {
  private readonly client: Client
  private readonly partitionCounts = new Map<string, number>()
  private waiting: Waiting[] = []
  private running: Promise<void> | undefined
  private closed = false

  constructor(brokers: readonly string[], clientId: string, options: ProducerOptions = {}) {
    this.client = new Client({
      clientId: options.clientId ?? clientId,
      bootstrapBrokers: [...brokers],
      acks: -1,
      // A repeat after a lost answer is folded downstream by its identity; what matters here is order.
      idempotent: false,
      autocreateTopics: false,
      timeout: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
      requestTimeout: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
      retries: 3,
      retryDelay: 200,
      strict: false,
    })
  }

  append(topic: string, records: readonly OutgoingRecord[]): Promise<readonly AppendedRange[]> {
    if (this.closed) return Promise.reject(logErrors.closed({ what: 'the producer' }))
    if (records.length === 0) return Promise.resolve([])
    return new Promise((resolve, reject) => {
      this.waiting.push({ topic, records, resolve, reject })
      this.running ??= this.run()
    })
  }

  private async run(): Promise<void> {
    // Let the turn of the loop end, so that all of its calls share one request.
    await Promise.resolve()
    while (this.waiting.length > 0) {
      const taken = this.waiting
      this.waiting = []
      const topics = new Map<string, Waiting[]>()
      for (const call of taken) {
        const calls = topics.get(call.topic)
        if (calls === undefined) topics.set(call.topic, [call])
        else calls.push(call)
      }
      await Promise.all([...topics].map(([topic, calls]) => this.send(topic, calls)))
    }
    this.running = undefined
  }

  private async send(topic: string, calls: readonly Waiting[]): Promise<void> {
    let total = 0
    try {
      const count = await this.partitionCount(topic)
      const messages = []
      const firsts: Map<number, number>[] = []
      const lengths = new Map<number, number>()
      for (const call of calls) {
        const first = new Map<number, number>()
        for (const record of call.records) {
          const partition = record.partition ?? partitionOf(record.key ?? EMPTY, count)
          const length = lengths.get(partition) ?? 0
          if (!first.has(partition)) first.set(partition, length)
          lengths.set(partition, length + 1)
          messages.push(toMessage(topic, partition, record))
        }
        firsts.push(first)
        total += call.records.length
      }
      const answer = await this.client.send({ messages })
      const base = new Map(answer.offsets?.map((o) => [o.partition, Number(o.offset)]))
      calls.forEach((call, i) =>
        call.resolve(
          [...firsts[i]!].map(([partition, index]) => ({
            partition,
            baseOffset: (base.get(partition) ?? 0) + index,
          })),
        ),
      )
    } catch (error) {
      const failure = logErrors.appendFailed(
        { topic, records: total, detail: messageOf(error) },
        error,
      )
      for (const call of calls) call.reject(failure)
    }
  }

  private async partitionCount(topic: string): Promise<number> {
    let count = this.partitionCounts.get(topic)
    if (count === undefined) {
      const metadata = await this.client.metadata({ topics: [topic] })
      count = metadata.topics.get(topic)?.partitionsCount
      if (count === undefined) throw logErrors.unknownTopic({ topic })
      this.partitionCounts.set(topic, count)
    }
    return count
  }

  async close(): Promise<void> {
    this.closed = true
    await this.running
    await this.client.close(true)
  }
}

interface Waiting {
  readonly topic: string
  readonly records: readonly OutgoingRecord[]
  readonly resolve: (ranges: readonly AppendedRange[]) => void
  readonly reject: (error: unknown) => void
}

function toMessage(topic: string, partition: number, record: OutgoingRecord) {
  const message: {
    topic: string
    partition: number
    key?: Buffer
    value?: Buffer
    headers?: Map<Buffer, Buffer>
  } = { topic, partition }
  if (record.key !== null) message.key = record.key
  if (record.value !== null) message.value = record.value
  if (record.headers !== undefined) {
    message.headers = new Map(
      Object.entries(record.headers).map(([name, value]) => [Buffer.from(name), value]),
    )
  }
  return message
}
