import type { Consumer } from '@platformatic/kafka'
import { LIMITS } from '../kernel/limits.ts'
import { logErrors } from './errors.ts'
import { fetched, type FetchResponse, groupless } from './kafka-fetch.ts'
import type { RecordBatch } from './log.ts'

/**
 * Reads ranges of partitions without a group: kafkajs has no call for that, @platformatic/kafka
 * has. Connects when it is first asked.
 */
export class KafkaReader {
  private readonly client: Consumer

  constructor(brokers: readonly string[], clientId: string) {
    this.client = groupless(brokers, clientId)
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
      const response = await this.fetch(topic, partition, at)
      const found = response.responses[0]?.partitions[0]?.records ?? []
      const batch = fetched(found, { topic, partition, from: at, to })
      // Nothing yet: the end offset is known before a replica may show the records.
      if (batch.nextOffset === at) continue
      at = batch.nextOffset
      if (batch.count > 0) yield batch
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
