import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../kernel/errors.ts'
import { LIMITS } from '../kernel/limits.ts'
import { logErrors } from './errors.ts'
import { answerOf, type OffsetToCommit } from './group/coordinator.ts'
import type { CommitRequest } from './log.ts'

/** What a broker says to the commit of a member whose generation is over, or about to be. */
const FENCED = ['ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'REBALANCE_IN_PROGRESS']

/** What no second try mends. */
const HOPELESS = [
  'OFFSET_METADATA_TOO_LARGE',
  'INVALID_COMMIT_OFFSET_SIZE',
  'GROUP_AUTHORIZATION_FAILED',
  'TOPIC_AUTHORIZATION_FAILED',
]

/** A member as its commits see it. */
export interface CommitFence {
  readonly generation: number
  readonly brokers: string
  /** How long a commit is tried. */
  readonly commitMsMax: number
  commitOnce(offsets: readonly OffsetToCommit[]): Promise<void>
}

/**
 * Commits as long as all requests are of the member's current generation, which is asked before
 * each try.
 *
 * @throws log.staleGeneration, log.unavailable
 */
export async function fencedCommit(
  fence: CommitFence,
  requests: readonly CommitRequest[],
): Promise<void> {
  if (requests.length === 0) return
  const offsets = requests.map(({ topic, partition, offset, metadata = '' }) => ({
    topic,
    partition,
    offset,
    metadata,
  }))
  const deadlineMs = performance.now() + fence.commitMsMax
  for (let waitMs = LIMITS.logRetryMsMin; ; waitMs *= 2) {
    refuseStale(fence, requests)
    try {
      await fence.commitOnce(offsets)
      return
    } catch (error) {
      refuseStale(fence, requests, error)
      const answer = answerOf(error)
      if (FENCED.includes(answer)) throw stale(fence, requests[0]!, error)
      if (HOPELESS.includes(answer) || performance.now() + waitMs > deadlineMs) {
        const { brokers } = fence
        throw logErrors.unavailable({ brokers, what: 'commit', detail: messageOf(error) }, error)
      }
    }
    await sleep(waitMs)
  }
}

function refuseStale(
  fence: CommitFence,
  requests: readonly CommitRequest[],
  cause?: unknown,
): void {
  for (const request of requests) {
    if (request.generation !== fence.generation) throw stale(fence, request, cause)
  }
}

function stale(fence: CommitFence, request: CommitRequest, cause: unknown): Error {
  const { topic, partition, generation } = request
  return logErrors.staleGeneration(
    { topic, partition, generation, current: fence.generation },
    cause,
  )
}
