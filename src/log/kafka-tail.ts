import { setTimeout as sleep } from 'node:timers/promises'
import { LIMITS } from '../kernel/limits.ts'
import { logErrors } from './errors.ts'
import { type FetchedRecords, KafkaFetcher, type Leaders } from './kafka-fetch.ts'
import { partitionKey } from './log.ts'
import type { Tail, TailOptions } from './log.ts'
import { readRecordSet } from './record-set.ts'

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
  private readonly fetcher: KafkaFetcher
  private readonly source: TailSource
  private readonly options: TailOptions
  private readonly followed: ReadonlyMap<string, Followed>
  private readonly over = new AbortController()
  private readonly done: Promise<void>

  constructor(source: TailSource, options: TailOptions, followed: readonly Followed[]) {
    const entries = followed.map((one) => [partitionKey(one.topic, one.partition), one] as const)
    this.followed = new Map(entries)
    this.startedAt = new Map(entries.map(([key, { next }]) => [key, next]))
    this.source = source
    this.options = options
    this.fetcher = new KafkaFetcher(source.brokers, source.clientId)
    this.done = this.run()
  }

  private isOver(): boolean {
    return this.over.signal.aborted
  }

  private async run(): Promise<void> {
    let pauseMs: number = LIMITS.logRetryMsMin
    while (!this.isOver()) {
      const round = { isOver: false, moved: false }
      try {
        const leaders = await this.fetcher.leaders([...this.followed.values()], true)
        const follow = (node: number) => this.follow(node, leaders, round)
        await Promise.all([...leaders.byNode.keys()].map(follow))
      } catch (error) {
        if (this.isOver()) return
        this.options.onTrouble?.(error)
        pauseMs = round.moved ? LIMITS.logRetryMsMin : Math.min(pauseMs * 2, LIMITS.logRetryMsMax)
        await sleep(pauseMs, undefined, { signal: this.over.signal }).catch(() => undefined)
        await this.endWhereGone()
      }
    }
  }

  private async follow(
    node: number,
    leaders: Leaders,
    round: { isOver: boolean; moved: boolean },
  ): Promise<void> {
    const places = leaders.byNode.get(node)!
    const options = { waitMs: LIMITS.logTailWaitMs, partitionBytesMax: LIMITS.logReadBytes }
    try {
      while (!this.isOver() && !round.isOver) {
        for (const found of await this.fetcher.fetch(node, places, leaders, options)) {
          if (await this.handOver(found)) round.moved = true
        }
      }
    } finally {
      // Who leads may have changed for all of them.
      round.isOver = true
    }
  }

  /** Whether there was something. */
  private async handOver({ topic, partition, records }: FetchedRecords): Promise<boolean> {
    const one = this.followed.get(partitionKey(topic, partition))
    if (one === undefined || this.isOver()) return false
    const batch = readRecordSet(records, { topic, partition, from: one.next, to: Infinity })
    if (batch.nextOffset === one.next) return false
    one.next = batch.nextOffset
    if (batch.count > 0) await this.options.onBatch(batch).catch(this.fail)
    return true
  }

  private readonly fail = (error: unknown): void => {
    if (this.isOver()) return
    this.over.abort()
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
    this.over.abort()
    await this.fetcher.close()
    await this.done
  }
}
