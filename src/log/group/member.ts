import { setTimeout as sleep } from 'node:timers/promises'
import { LIMITS } from '../../kernel/limits.ts'
import { assign, PROTOCOL } from './assign.ts'
import { answerOf, Coordinator, type CoordinatorOptions, type Membership } from './coordinator.ts'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  type Share,
} from './wire.ts'

export interface MemberOptions extends CoordinatorOptions {
  readonly topics: readonly string[]
  /** The partitions that each topic had when it was subscribed: an assignment gives no others. */
  readonly partitionCounts: ReadonlyMap<string, number>
  /** Before a new join; what is under way may still commit until it has settled. */
  readonly quiesce: () => Promise<void>
  readonly onJoined: (generation: number, share: Share) => void
  /** What cannot pass. */
  readonly onFailed: (error: unknown) => void
}

/** The membership is over: the broker has given the partitions to others, or is about to. */
const OVER = ['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_INSTANCE_ID']
const REBALANCING = 'REBALANCE_IN_PROGRESS'
/** What no waiting mends. */
const FATAL = [
  'GROUP_AUTHORIZATION_FAILED',
  'TOPIC_AUTHORIZATION_FAILED',
  'INCONSISTENT_GROUP_PROTOCOL',
  'INVALID_GROUP_ID',
  'INVALID_SESSION_TIMEOUT',
  'GROUP_MAX_SIZE_REACHED',
]

/**
 * A member of a consumer group (the classic protocol): joins, keeps its session by heartbeats
 * whatever else goes on, and joins anew when the group changes. A broker that is away is waited
 * for, however long.
 *
 * A generation of our own counting begins with each join. It is current until the next join begins,
 * and only as long as the broker has heard of us within the session's time: who was paused for
 * longer must take it that others own its partitions.
 */
export class GroupMember {
  readonly coordinator: Coordinator
  private readonly options: MemberOptions
  private membership: Membership | undefined
  private share: Share = new Map()
  private memberId = ''
  private joins = 0
  private heardUntilMs = 0
  private isClosing = false
  private readonly closing = new AbortController()
  private running: Promise<void> = Promise.resolve()

  constructor(options: MemberOptions) {
    this.options = options
    this.coordinator = new Coordinator(options)
  }

  /** -1 where there is none. */
  get generation(): number {
    return this.current === undefined ? -1 : this.joins
  }

  /** The newest generation, whether or not the broker has heard of us since. */
  get joined(): number {
    return this.joins
  }

  /** What a commit is made with; undefined where it would be another's place to make it. */
  get current(): Membership | undefined {
    return performance.now() < this.heardUntilMs ? this.membership : undefined
  }

  /** Resolves when the group has taken us in for the first time. */
  async start(): Promise<void> {
    const first = Promise.withResolvers<undefined>()
    this.running = this.run(first)
    await first.promise
  }

  private async run(first: PromiseWithResolvers<undefined>): Promise<void> {
    const deadlineMs = performance.now() + LIMITS.logJoinMsMax
    let pauseMs: number = LIMITS.logRetryMsMin
    while (!this.isOver()) {
      try {
        const membership = await this.join()
        first.resolve(undefined)
        pauseMs = LIMITS.logRetryMsMin
        await this.keep(membership)
      } catch (error) {
        const answer = answerOf(error)
        if (OVER.includes(answer)) this.memberId = ''
        const tooLate = this.joins === 0 && performance.now() > deadlineMs
        if (tooLate || FATAL.includes(answer)) {
          first.reject(error)
          if (this.joins > 0 && !this.isOver()) this.options.onFailed(error)
          return
        }
        if (OVER.includes(answer) || answer === REBALANCING) continue
        await this.pause(pauseMs)
        pauseMs = Math.min(2 * pauseMs, LIMITS.logRetryMsMax)
      }
    }
    first.reject(new Error('the subscription was closed'))
  }

  private isOver(): boolean {
    return this.isClosing
  }

  private pause(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.closing.signal }).catch(() => undefined)
  }

  private async join(): Promise<Membership> {
    const { topics, partitionCounts, sessionTimeoutMs } = this.options
    this.membership = undefined
    const metadata = encodeSubscription({ topics, owned: this.share })
    const joined = await this.coordinator.join(this.memberId, PROTOCOL, metadata)
    this.memberId = joined.memberId
    const beganMs = performance.now()
    const members = new Map(
      [...joined.members].map(([id, said]) => [id, decodeSubscription(said)] as const),
    )
    const assignments = joined.isLeader
      ? assign(members, partitionCounts)
      : new Map<string, Share>()
    const encoded = new Map(
      [...assignments].map(([id, share]) => [id, encodeAssignment(share)] as const),
    )
    this.share = decodeAssignment(await this.coordinator.sync(joined, PROTOCOL, encoded))
    this.membership = joined
    this.heardUntilMs = beganMs + sessionTimeoutMs
    this.joins += 1
    if (!this.isOver()) this.options.onJoined(this.joins, this.share)
    return joined
  }

  /** Keeps the membership until the group rebalances, and on until all is settled for it. */
  private async keep(membership: Membership): Promise<void> {
    const stop = new AbortController()
    const changed = Promise.withResolvers<undefined>()
    const beating = this.beat(membership, stop.signal, () => changed.resolve(undefined))
    try {
      await Promise.race([changed.promise, beating, aborted(this.closing.signal)])
      await Promise.race([this.options.quiesce(), beating])
    } finally {
      stop.abort()
      await beating.catch(() => undefined)
    }
  }

  /** @throws what the broker says where the membership is over. */
  private async beat(
    membership: Membership,
    stop: AbortSignal,
    onRebalance: () => void,
  ): Promise<void> {
    for (;;) {
      await sleep(LIMITS.logHeartbeatMs, undefined, { signal: stop }).catch(() => undefined)
      if (stop.aborted) return
      const sentMs = performance.now()
      try {
        await this.coordinator.heartbeat(membership)
        this.heardUntilMs = sentMs + this.options.sessionTimeoutMs
      } catch (error) {
        const answer = answerOf(error)
        if (OVER.includes(answer) || FATAL.includes(answer)) {
          this.membership = undefined
          throw error
        }
        // The broker has heard us all the same, and waits for us to join.
        if (answer === REBALANCING) {
          this.heardUntilMs = sentMs + this.options.sessionTimeoutMs
          onRebalance()
        }
      }
    }
  }

  /** Leaves the group, so that others need not wait for the session's end to take over. */
  async close(): Promise<void> {
    if (this.isClosing) return
    this.isClosing = true
    this.closing.abort()
    await this.running
    const membership = this.membership
    this.membership = undefined
    // A group that cannot be told finds out by the session's end.
    if (membership !== undefined) await this.coordinator.leave(membership).catch(() => undefined)
    await this.coordinator.close()
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
