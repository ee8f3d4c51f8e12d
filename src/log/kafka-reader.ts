import { Consumer } from '@platformatic/kafka'
import { toBatch } from './batch.ts'
import type { IncomingRecord } from './batch.ts'
import { logErrors } from './errors.ts'
import type { RecordBatch } from './log.ts'

/** Bit 3 of a record batch's attributes: the log set the time of all its records. */
const LOG_APPEND_TIME = 8
/** Bit 5: markers of transactions, which are no records. */
const CONTROL_BATCH = 32

type FetchResponse = Awaited<ReturnType<Consumer['fetch']>>
type Incoming = IncomingRecord & { readonly headers: readonly [Buffer | null, Buffer | null][] }

/** Reads ranges of partitions without a group: kafkajs has no call for that, @platformatic/kafka has. */
export class KafkaReader {
  private readonly client: Consumer

  constructor(brokers: readonly string[], clientId: string) {
    this.client = new Consumer({
      clientId,
      // Never joined: the client wants a name all the same.
      groupId: `${clientId}-reader`,
      bootstrapBrokers: [...brokers],
      retries: 5,
      retryDelay: 300,
    })
  }

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
      const { node, topicId } = await this.leader(topic, partition)
      const response = await this.client.fetch({
        node,
        maxWaitTime: 500,
        minBytes: 1,
        maxBytes: 8 * 1024 * 1024,
        isolationLevel: 0,
        topics: [
          {
            topicId,
            partitions: [
              {
                partition,
                currentLeaderEpoch: -1,
                fetchOffset: BigInt(at),
                lastFetchedEpoch: -1,
                partitionMaxBytes: 4 * 1024 * 1024,
              },
            ],
          },
        ],
      })
      const { records, next } = recordsOf(response, at, to)
      if (next === at) continue
      at = next
      if (records.length > 0) yield toBatch(topic, partition, records, next, headerOf)
    }
  }

  private async leader(
    topic: string,
    partition: number,
  ): Promise<{ node: number; topicId: string }> {
    const metadata = await this.client.metadata({ topics: [topic] })
    const found = metadata.topics.get(topic)
    const node = found?.partitions[partition]?.leader
    if (found === undefined || node === undefined) throw logErrors.unknownTopic({ topic })
    return { node, topicId: found.id }
  }

  async close(): Promise<void> {
    await this.client.close(true)
  }
}

function headerOf(record: Incoming, name: string): Buffer | undefined {
  const found = record.headers.findLast(([key]) => key?.toString() === name)
  return found?.[1] ?? undefined
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
    for (const record of batch.records) {
      const offset = base + record.offsetDelta
      // A batch is stored and fetched whole: it may begin before the range and end behind it.
      if (offset < from || offset >= to) continue
      const appendMillis = appended
        ? Number(batch.maxTimestamp)
        : Number(batch.firstTimestamp + record.timestampDelta)
      records.push({
        offset,
        appendMillis,
        key: record.key,
        value: record.value,
        headers: record.headers,
      })
    }
  }
  return { records, next: Math.min(next, to) }
}
