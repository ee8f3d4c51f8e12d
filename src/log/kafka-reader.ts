import { Consumer } from '@platformatic/kafka'
import { LIMITS } from '../kernel/limits.ts'
import { toBatch } from './batch.ts'
import { logErrors } from './errors.ts'
import type { RecordBatch } from './log.ts'

/** Bit 3 of a record batch's attributes: the log set the time of all its records. */
const LOG_APPEND_TIME = 8
/** Bit 5: markers of transactions, which are no records. */
const CONTROL_BATCH = 32

type FetchResponse = Awaited<ReturnType<Consumer['fetch']>>

interface Incoming {
  readonly offset: number
  readonly appendMillis: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly [Buffer | null, Buffer | null][]
}

/**
 * Reads ranges of partitions without a group: kafkajs has no call for that, @platformatic/kafka
 * has. Connects when it is first asked.
 */
export class KafkaReader {
  private readonly client: Consumer

  constructor(brokers: readonly string[], clientId: string) {
    this.client = new Consumer({
      clientId,
      // Never joined: the client wants a name all the same.
      groupId: `${clientId}-reader`,
      bootstrapBrokers: [...brokers],
      connectTimeout: LIMITS.logConnectMsMax,
      requestTimeout: LIMITS.logRequestMsMax,
      retries: LIMITS.logAdminRetriesMax,
      retryDelay: LIMITS.logRetryMsMin,
    })
  }

  /** The records in [from, to), which must lie between the partition's first and end offset. */
  async *read(range: {
    topic: string
    partition: number
    from: number
    to: number
  }): AsyncIterable<RecordBatch> {
    const { topic, partition, to } = range
    this.client.topics.track(topic)
    let at = range.from
    while (at < to) {
      const { records, next } = recordsOf(await this.fetch(topic, partition, at), at, to)
      // Nothing yet: the end offset is known before a replica may show the records.
      if (next === at) continue
      at = next
      if (records.length > 0) yield batchOf(topic, partition, records, next)
    }
  }

  private async fetch(topic: string, partition: number, from: number): Promise<FetchResponse> {
    const metadata = await this.client.metadata({ topics: [topic] })
    const found = metadata.topics.get(topic)
    const node = found?.partitions[partition]?.leader
    if (found === undefined || node === undefined) throw logErrors.unknownTopic({ topic })
    return this.client.fetch({
      node,
      maxWaitTime: LIMITS.logFetchWaitMs,
      minBytes: 1,
      maxBytes: 2 * LIMITS.logReadBytes,
      isolationLevel: 0,
      topics: [
        {
          topicId: found.id,
          partitions: [
            {
              partition,
              currentLeaderEpoch: -1,
              fetchOffset: BigInt(from),
              lastFetchedEpoch: -1,
              partitionMaxBytes: LIMITS.logReadBytes,
            },
          ],
        },
      ],
    })
  }

  async close(): Promise<void> {
    await this.client.close(true)
  }
}

/** The records in [from, to), and the offset to go on from. */
function recordsOf(response: FetchResponse, from: number, to: number) {
  const records: Incoming[] = []
  let next = from
  for (const batch of response.responses[0]?.partitions[0]?.records ?? []) {
    const base = Number(batch.firstOffset)
    next = Math.max(next, base + batch.lastOffsetDelta + 1)
    if ((batch.attributes & CONTROL_BATCH) !== 0) continue
    const appended = (batch.attributes & LOG_APPEND_TIME) !== 0
    for (const { offsetDelta, timestampDelta, key, value, headers } of batch.records) {
      const offset = base + offsetDelta
      // A batch is stored and fetched whole: it may begin before the range and end behind it.
      if (offset < from || offset >= to) continue
      const appendMillis = Number(
        appended ? batch.maxTimestamp : batch.firstTimestamp + timestampDelta,
      )
      records.push({ offset, appendMillis, key, value, headers })
    }
  }
  return { records, next: Math.min(next, to) }
}

function batchOf(
  topic: string,
  partition: number,
  records: readonly Incoming[],
  nextOffset: number,
): RecordBatch {
  return toBatch(records, {
    topic,
    partition,
    nextOffset,
    offsets: Float64Array.from(records, ({ offset }) => offset),
    appendMillis: Float64Array.from(records, ({ appendMillis }) => appendMillis),
    headerOf: ({ headers }, name) =>
      headers.findLast(([key]) => key?.toString() === name)?.[1] ?? undefined,
  })
}
