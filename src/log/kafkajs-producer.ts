import type { Kafka, Producer as Client } from 'kafkajs'
import { messageOf } from '../kernel/errors.ts'
import { partitionOf } from '../kernel/ids.ts'
import { logErrors } from './errors.ts'
import type { AppendedRange, OutgoingRecord, OutgoingRecords, Producer } from './log.ts'
import { asRecords, checkRecords } from './outgoing.ts'

const EMPTY = Buffer.alloc(0)

/**
 * A producer through kafkajs. kafkajs breaks the sequence of an idempotent producer when sends run
 * side by side (its issue 598), so one is under way at a time.
 */
export async function openKafkajsProducer(
  kafka: Kafka,
  partitionCount: (topic: string) => Promise<number>,
  requestTimeoutMs: number,
): Promise<Producer> {
  const client = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    // Each message has its partition from us.
    createPartitioner:
      () =>
      ({ message }) =>
        message.partition!,
  })
  await client.connect()
  return new KafkajsProducer(client, partitionCount, requestTimeoutMs)
}

class KafkajsProducer implements Producer {
  private last: Promise<unknown> = Promise.resolve()
  private closing: Promise<void> | undefined
  private readonly counts = new Map<string, number>()
  private readonly client: Client
  private readonly partitionCount: (topic: string) => Promise<number>
  private readonly requestTimeoutMs: number

  constructor(
    client: Client,
    partitionCount: (topic: string) => Promise<number>,
    requestTimeoutMs: number,
  ) {
    this.client = client
    this.partitionCount = partitionCount
    this.requestTimeoutMs = requestTimeoutMs
  }

  append(topic: string, records: OutgoingRecords): Promise<readonly AppendedRange[]> {
    if (this.closing !== undefined)
      return Promise.reject(logErrors.closed({ what: 'the producer' }))
    const result = this.last.then(() => this.send(topic, asRecords(records)))
    this.last = result.catch(() => undefined)
    return result
  }

  private async send(
    topic: string,
    records: readonly OutgoingRecord[],
  ): Promise<readonly AppendedRange[]> {
    if (records.length === 0) return []
    let count = this.counts.get(topic)
    if (count === undefined) {
      count = await this.partitionCount(topic)
      this.counts.set(topic, count)
    }
    checkRecords(topic, records, count)
    try {
      const answer = await this.client.send({
        topic,
        acks: -1,
        timeout: this.requestTimeoutMs,
        messages: records.map(({ key, value, partition, headers }) => ({
          key,
          value,
          partition: partition ?? partitionOf(key ?? EMPTY, count),
          ...(headers === undefined ? {} : { headers: { ...headers } }),
        })),
      })
      return answer.map(({ partition, baseOffset }) => ({
        partition,
        baseOffset: Number(baseOffset),
      }))
    } catch (error) {
      const detail = messageOf(error)
      throw logErrors.appendFailed({ topic, records: records.length, detail }, error)
    }
  }

  close(): Promise<void> {
    this.closing ??= this.last.then(() => this.client.disconnect())
    return this.closing
  }
}
