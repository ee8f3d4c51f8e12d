import { LIMITS } from '../kernel/limits.ts'
import { KafkaFetcher } from './kafka-fetch.ts'
import type { RecordBatch } from './log.ts'
import { type RecordRange, readRecordSet } from './record-set.ts'

/** Reads ranges of partitions without a group. */
export class KafkaReader {
  private readonly fetcher: KafkaFetcher

  constructor(brokers: readonly string[], clientId: string) {
    this.fetcher = new KafkaFetcher(brokers, clientId)
  }

  /** The records in [from, to), which must lie between the partition's first and end offset. */
  async *read({ topic, partition, from, to }: RecordRange): AsyncIterable<RecordBatch> {
    const options = { waitMs: LIMITS.logFetchWaitMs, partitionBytesMax: LIMITS.logReadBytes }
    let next = from
    while (next < to) {
      const places = [{ topic, partition, next }]
      const leaders = await this.fetcher.leaders(places, false)
      const [node] = leaders.byNode.keys()
      const [answer] = await this.fetcher.fetch(node!, places, leaders, options)
      // Nothing yet: the end offset is known before a replica may show the records.
      if (answer === undefined) continue
      const batch = readRecordSet(answer.records, { topic, partition, from: next, to })
      next = batch.nextOffset
      if (batch.count > 0) yield batch
    }
  }

  close(): Promise<void> {
    return this.fetcher.close()
  }
}
