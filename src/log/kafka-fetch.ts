import { Consumer } from '@platformatic/kafka'
import { LIMITS } from '../kernel/limits.ts'
import { batchOf } from './batch.ts'
import type { RecordBatch } from './log.ts'

/** Fetching without a group: kafkajs has no call for that, @platformatic/kafka has. */

/** Bit 3 of a record batch's attributes: the log set the time of all its records. */
const LOG_APPEND_TIME = 8
/** Bit 5: markers of transactions, which are no records. */
const CONTROL_BATCH = 32

export type FetchResponse = Awaited<ReturnType<Consumer['fetch']>>
type FetchedBatches = NonNullable<
  FetchResponse['responses'][number]['partitions'][number]['records']
>

interface Incoming {
  readonly offset: number
  readonly appendMillis: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly [Buffer | null, Buffer | null][]
}

/** A client that joins no group. Connects when it is first asked. */
export function groupless(brokers: readonly string[], clientId: string): Consumer {
  return new Consumer({
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

interface FetchedRange {
  readonly topic: string
  readonly partition: number
  readonly from: number
  readonly to: number
}

/** The records in [from, to), and the offset to go on from. */
export function fetched(
  batches: FetchedBatches,
  { topic, partition, from, to }: FetchedRange,
): RecordBatch {
  const records: Incoming[] = []
  let next = from
  for (const batch of batches) {
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
  return batchOf(records, { topic, partition, nextOffset: Math.min(next, to), headerOf })
}

function headerOf({ headers }: Incoming, name: string): Buffer | undefined {
  return headers.findLast(([key]) => key?.toString() === name)?.[1] ?? undefined
}
