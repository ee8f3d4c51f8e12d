import { setTimeout as sleep } from 'node:timers/promises'
import type { Consumer } from '@platformatic/kafka'
import { LIMITS } from '../kernel/limits.ts'
import { logErrors } from './errors.ts'
import { fetched, type FetchResponse, groupless } from './kafka-fetch.ts'
import { partitionKey } from './log.ts'
import type { Tail, TailOptions } from './log.ts'

interface TailSource {
  readonly brokers: readonly string[]
  readonly clientId: string
  offsetsOf(topic: string): Promise<readonly { begin: number; end: number }[]>
}

interface Followed {
  readonly topic: string
  readonly partition: number
  next: number
}

/** @throws log.unknownTopic, log.unavailable */
export async function openKafkaTail(source: TailSource, options: TailOptions): Promise<Tail> {
  const followed: Followed[] = []
  for (const topic of options.topics) {
    for (const [partition, { begin, end }] of (await source.offsetsOf(topic)).entries()) {
      const from = options.from?.get(partitionKey(topic, partition)) ?? end
      followed.push({ topic, partition, next: Math.max(from, begin) })
    }
  }
  return new KafkaTail(source, options, followed)
}

/**
 * One long fetch after the other at each broker that leads some of the partitions. Where one fails,
 * all are asked anew who leads what.
 */
class KafkaTail implements Tail {
  readonly startedAt: ReadonlyMap<string, number>
  private readonly client: Consumer
  private readonly source: TailSource
  private readonly options: TailOptions
  private readonly followed: ReadonlyMap<string, Followed>
  private isOver = false
  private readonly done: Promise<void>

  constructor(source: TailSource, options: TailOptions, followed: readonly Followed[]) {
    const entries = followed.map((one) => [partitionKey(one.topic, one.partition), one] as const)
    this.followed = new Map(entries)
    this.startedAt = new Map(entries.map(([key, { next }]) => [key, next]))
    this.source = source
    this.options = options
    this.client = groupless(source.brokers, source.clientId)
    for (const topic of options.topics) this.client.topics.track(topic)
    this.done = this.run()
  }

  private async run(): Promise<void> {
    let pauseMs: number = LIMITS.logRetryMsMin
    while (!this.isOver) {
      const round = { isOver: false, moved: false }
      try {
        const nodes = await this.nodes()
        const follow = (node: number) => this.follow(node, nodes, round)
        await Promise.all([...nodes.leaders.keys()].map(follow))
      } catch (error) {
        if (this.isOver) return
        this.options.onTrouble?.(error)
        pauseMs = round.moved ? LIMITS.logRetryMsMin : Math.min(pauseMs * 2, LIMITS.logRetryMsMax)
        await sleep(pauseMs)
        await this.endWhereGone()
      }
    }
  }

  /** What each broker leads, and the topics' ids. */
  private async nodes() {
    const topics = [...this.options.topics]
    const metadata = await this.client.metadata({ topics, forceUpdate: true })
    const leaders = new Map<number, Followed[]>()
    const ids = new Map<string, string>()
    for (const one of this.followed.values()) {
      const topic = metadata.topics.get(one.topic)
      const leader = topic?.partitions[one.partition]?.leader
      if (topic === undefined || leader === undefined || leader < 0) {
        throw logErrors.unknownTopic({ topic: one.topic })
      }
      ids.set(one.topic, topic.id)
      const led = leaders.get(leader)
      if (led === undefined) leaders.set(leader, [one])
      else led.push(one)
    }
    return { leaders, ids, topics: new Map([...ids].map(([topic, id]) => [id, topic])) }
  }

  private async follow(
    node: number,
    { leaders, ids, topics }: Awaited<ReturnType<KafkaTail['nodes']>>,
    round: { isOver: boolean; moved: boolean },
  ): Promise<void> {
    const byTopic = Map.groupBy(leaders.get(node)!, ({ topic }) => topic)
    try {
      while (!this.isOver && !round.isOver) {
        const response = await this.client.fetch({
          node,
          maxWaitTime: LIMITS.logTailWaitMs,
          minBytes: 1,
          maxBytes: 2 * LIMITS.logReadBytes,
          isolationLevel: 0,
          topics: [...byTopic].map(([topic, list]) => ({
            topicId: ids.get(topic)!,
            partitions: list.map(({ partition, next }) => ({
              partition,
              currentLeaderEpoch: -1,
              fetchOffset: BigInt(next),
              lastFetchedEpoch: -1,
              partitionMaxBytes: LIMITS.logReadBytes,
            })),
          })),
        })
        if (await this.handOver(response, topics)) round.moved = true
      }
    } finally {
      // Who leads may have changed for all of them.
      round.isOver = true
    }
  }

  /** Whether there was something. */
  private async handOver(
    response: FetchResponse,
    topics: ReadonlyMap<string, string>,
  ): Promise<boolean> {
    let moved = false
    for (const { topicId, partitions } of response.responses) {
      const topic = topics.get(topicId)
      if (topic === undefined) continue
      for (const { partitionIndex: partition, records } of partitions) {
        const one = this.followed.get(partitionKey(topic, partition))
        if (one === undefined || this.isOver) continue
        const range = { topic, partition, from: one.next, to: Infinity }
        const batch = fetched(records ?? [], range)
        if (batch.nextOffset === one.next) continue
        one.next = batch.nextOffset
        moved = true
        if (batch.count > 0) await this.options.onBatch(batch).catch(this.fail)
      }
    }
    return moved
  }

  private readonly fail = (error: unknown): void => {
    if (this.isOver) return
    this.isOver = true
    this.options.onFailed(error)
  }

  /** Retention may have overtaken a tail that could not read for long, or the topic is another. */
  private async endWhereGone(): Promise<void> {
    for (const topic of this.options.topics) {
      const offsets = await this.source.offsetsOf(topic).catch(() => [])
      for (const [partition, { begin, end }] of offsets.entries()) {
        const offset = this.followed.get(partitionKey(topic, partition))?.next ?? begin
        if (offset >= begin && offset <= end) continue
        this.fail(logErrors.outOfRange({ topic, partition, offset, begin }))
      }
    }
  }

  async close(): Promise<void> {
    this.isOver = true
    await this.client.close(true)
    await this.done
  }
}
