import { Producer as Client } from '@platformatic/kafka'
import { LIMITS } from '../kernel/limits.ts'
import { logErrors } from './errors.ts'
import type { AppendedRange, OutgoingRecords, Producer, ProducerOptions } from './log.ts'
import { listOf } from './produce/outgoing-list.ts'
import { TopicLane } from './produce/topic-lane.ts'

/**
 * A producer over @platformatic/kafka's connections and metadata; batches and requests are encoded
 * here, at a fraction of its CPU a record (docs/design.md, Measurements). A topic has one request
 * under way at a time, with one record batch a partition; what is called meanwhile goes out with
 * the next one. So batches grow under load, and the order of calls holds through any retry: a batch
 * is repeated under its sequence number, by which the broker knows what it has.
 */
export class PlatformaticProducer implements Producer {
  private readonly client: Client
  private readonly lanes = new Map<string, TopicLane>()
  private readonly timeoutMs: number
  private waitingBytes = 0
  private closing: Promise<void> | undefined

  constructor(brokers: readonly string[], clientId: string, options: ProducerOptions = {}) {
    const timeoutMs = options.requestTimeoutMs ?? LIMITS.logRequestMsMax
    this.timeoutMs = timeoutMs
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

  append(topic: string, records: OutgoingRecords): Promise<readonly AppendedRange[]> {
    if (this.closing !== undefined)
      return Promise.reject(logErrors.closed({ what: 'the producer' }))
    const list = listOf(records)
    if (list.count === 0) return Promise.resolve([])
    let bytes = 0
    for (let i = 0; i < list.count; i++) bytes += list.sizeOf(i)
    const bytesMax = LIMITS.logWaitingBytesMax
    if (this.waitingBytes > 0 && this.waitingBytes + bytes > bytesMax) {
      return Promise.reject(logErrors.tooMuchWaiting({ topic, bytes, bytesMax }))
    }
    this.waitingBytes += bytes
    let lane = this.lanes.get(topic)
    if (lane === undefined) {
      lane = new TopicLane(this.client, topic, this.timeoutMs)
      this.lanes.set(topic, lane)
    }
    return lane.append(list).finally(() => {
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
