import { setTimeout as sleep } from 'node:timers/promises'
import { findErrorBy } from '@platformatic/kafka'
import { LIMITS } from '../kernel/limits.ts'
import { type FetchPlace, KafkaFetcher } from './kafka-fetch.ts'
import type { RecordBatch } from './log.ts'
import { type RecordRange, readRecordSet } from './record-set.ts'

const OPTIONS = { waitMs: LIMITS.logFetchWaitMs, partitionBytesMax: LIMITS.logReadBytes }

/** Reads ranges of partitions without a group. */
export class KafkaReader {
  private readonly fetcher: KafkaFetcher

  constructor(brokers: readonly string[], clientId: string) {
    this.fetcher = new KafkaFetcher(brokers, clientId)
  }

  /** The records in [from, to), which must lie between the partition's first and end offset. */
  async *read({ topic, partition, from, to }: RecordRange): AsyncIterable<RecordBatch> {
    let next = from
    let failures = 0
    while (next < to) {
      let records: Buffer | undefined
      try {
        records = await this.fetch({ topic, partition, next }, failures > 0)
        failures = 0
      } catch (error) {
        if (isFinal(error) || ++failures > LIMITS.logAdminRetriesMax) throw error
        await sleep(LIMITS.logRetryMsMin)
      }
      // Nothing yet: the end offset is known before a replica may show the records.
      if (records === undefined) continue
      const batch = readRecordSet(records, { topic, partition, from: next, to })
      next = batch.nextOffset
      if (batch.count > 0) yield batch
    }
  }

  private async fetch(place: FetchPlace, isAnew: boolean): Promise<Buffer | undefined> {
    const leaders = await this.fetcher.leaders([place], isAnew)
    const [node] = leaders.byNode.keys()
    const [answer] = await this.fetcher.fetch(node!, [place], leaders, OPTIONS)
    return answer?.records
  }

  close(): Promise<void> {
    return this.fetcher.close()
  }
}

/** Where the topic or the offset is not there, asking again does not help. */
function isFinal(error: unknown): boolean {
  return findErrorBy(error as Error, 'canRetry', false) !== null
}
