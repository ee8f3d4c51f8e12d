import { hasCode } from '../kernel/errors.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { Scheduler } from '../kernel/time.ts'
import type { OutgoingRecords, Producer } from '../log/log.ts'
import { slicesOf } from '../log/outgoing.ts'
import { isRetryable } from '../log/patience.ts'
import { engineErrors } from './errors.ts'
import type { Unsent } from './lane.ts'
import { mergedRows } from './rows.ts'
import type { Claim, RowBatch, TableSink } from './sink.ts'

export interface RoundOptions {
  readonly tables: TableSink
  readonly producer: Producer
  readonly scheduler: Scheduler
  /** Whether the partitions are still ours: asked before each request. */
  readonly claim: Claim
}

/**
 * Sends what several lanes have emitted, all tables and topics at once. What is acknowledged is
 * taken out of `parts`, so that a round that is broken off goes on where it was.
 *
 * @returns The batches that were written.
 * @throws engine.staleOwner where the claim ended before all was acknowledged.
 */
export async function sendRound(
  options: RoundOptions,
  parts: readonly Unsent[],
): Promise<readonly RowBatch[]> {
  const tables = Map.groupBy(
    parts.flatMap((part) => part.tables),
    ({ spec }) => spec.table,
  )
  const rows = [...tables.values()].map(mergedRows)
  const writes = rows.map(async (batch) => {
    const what = `rows of ${batch.spec.table}`
    await Promise.race([options.tables.write(batch, options.claim), claimEnd(options.claim, what)])
    for (const part of parts) {
      part.tables = part.tables.filter(({ spec }) => spec.table !== batch.spec.table)
    }
  })
  // Those of several lanes share requests: the producer joins what is called in one turn.
  const appends = parts.flatMap(({ logs }) =>
    [...logs].map(async ([topic, records]) => {
      await appendAll(options, topic, records)
      logs.delete(topic)
    }),
  )
  // All settle before the next round begins; what no retry mends is told at once.
  const stale: unknown[] = []
  const settled = (error: unknown) => {
    if (!isStale(error)) throw error
    stale.push(error)
  }
  await Promise.all([...writes, ...appends].map((one) => one.catch(settled)))
  if (stale.length > 0) throw stale[0]
  return rows
}

export function isStale(error: unknown): boolean {
  return hasCode(error, 'engine.staleOwner')
}

/**
 * In requests of a bounded size, in order. A failed one is tried again: readers fold what comes
 * twice.
 */
async function appendAll(
  { producer, scheduler, claim }: RoundOptions,
  topic: string,
  records: OutgoingRecords,
): Promise<void> {
  const what = `records of ${topic}`
  const ended = claimEnd(claim, what)
  for (const part of slicesOf(records, LIMITS.engineAppendRecords)) {
    for (let pauseMs = 100; ; pauseMs = Math.min(2 * pauseMs, LIMITS.engineRetryMsMax)) {
      if (!claim.holds()) throw engineErrors.staleOwner({ what })
      try {
        await Promise.race([producer.append(topic, part), ended])
        break
      } catch (error) {
        if (!isRetryable(error)) throw error
        await Promise.race([scheduler.sleep(pauseMs), ended])
      }
    }
  }
}

/** Rejects when what is under way is to be broken off. */
function claimEnd({ signal }: Claim, what: string): Promise<never> {
  const end = Promise.withResolvers<never>()
  const stale = () => end.reject(engineErrors.staleOwner({ what }))
  if (signal.aborted) stale()
  else signal.addEventListener('abort', stale, { once: true })
  end.promise.catch(() => undefined)
  return end.promise
}
