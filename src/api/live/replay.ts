import { partitionOf } from '../../kernel/ids.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { Log } from '../../log/log.ts'
import type { Topics } from '../../log/topics.ts'
import type { Codecs } from '../../schemas/codecs.ts'
import type { LiveTopic } from '../contract/live.ts'
import type { LiveItem } from './item.ts'
import type { PartitionPlace, TopicPlace } from './position.ts'
import { PartitionReader, recordOf } from './records.ts'
import type { CatchingUp } from './sinks.ts'

interface Missed {
  readonly sink: CatchingUp
  readonly place: TopicPlace
  /** Where it is offered items by itself. */
  readonly until: readonly PartitionPlace[]
  readonly found: LiveItem[]
  readonly readers: ReadonlyMap<number, PartitionReader>
  resolve(items: readonly LiveItem[] | string): void
  reject(error: unknown): void
}

/**
 * Reads again from the log what subscriptions missed. Those that come while it reads share the next
 * pass, so that a thousand clients that return at once cost a few passes and not a thousand.
 */
export class Replayer {
  private readonly log: Log
  private readonly topics: Topics
  private readonly codecs: Codecs
  private readonly waiting = new Map<LiveTopic, Missed[]>()

  constructor(log: Log, topics: Topics, codecs: Codecs) {
    this.log = log
    this.topics = topics
    this.codecs = codecs
  }

  /**
   * The items from `place` up to `until` that the sink wants, in the order of each partition; or a
   * sentence why they cannot be told.
   */
  missed(
    sink: CatchingUp,
    place: TopicPlace,
    until: readonly PartitionPlace[],
  ): Promise<readonly LiveItem[] | string> {
    const readers = new Map(
      partitionsOf(sink, until.length).map((p) => [p, new PartitionReader(place.partitions[p]!)]),
    )
    let records = 0
    for (const [p, { next }] of readers) records += Math.max(0, until[p]!.next - next)
    if (records > LIMITS.liveReplayRecordsMax) {
      return Promise.resolve(`${records} records came since, more than one look back may read`)
    }
    return new Promise((resolve, reject) => {
      const one = { sink, place, until, found: [], readers, resolve, reject }
      const others = this.waiting.get(sink.topic)
      if (others !== undefined) {
        others.push(one)
        return
      }
      this.waiting.set(sink.topic, [one])
      void this.work(sink.topic)
    })
  }

  private async work(topic: LiveTopic): Promise<void> {
    for (;;) {
      const pass = this.waiting.get(topic)!
      if (pass.length === 0) {
        this.waiting.delete(topic)
        return
      }
      this.waiting.set(topic, [])
      try {
        await this.pass(topic, pass)
        for (const one of pass) one.resolve(one.found)
      } catch (error) {
        for (const one of pass) one.reject(error)
      }
    }
  }

  private async pass(topic: LiveTopic, all: readonly Missed[]): Promise<void> {
    const name = this.topics[topic]
    const begins = await this.log.beginOffsets(name)
    const pass = all.filter((one) => {
      const isGone = [...one.readers].some(([p, { next }]) => next < (begins[p] ?? 0))
      if (isGone) one.resolve('the log does not hold the records any more')
      return !isGone
    })
    for (const partition of begins.keys()) {
      const wanting = pass.filter(({ readers, until }) => {
        const reader = readers.get(partition)
        return reader !== undefined && reader.next < until[partition]!.next
      })
      if (wanting.length === 0) continue
      const from = Math.min(...wanting.map(({ readers }) => readers.get(partition)!.next))
      const to = Math.max(...wanting.map(({ until }) => until[partition]!.next))
      for await (const batch of this.log.read({ topic: name, partition, from, to })) {
        for (let i = 0; i < batch.count; i++) {
          const offset = batch.offsets[i]!
          const news = wanting.filter(
            ({ readers, until }) =>
              offset < until[partition]!.next && readers.get(partition)!.take(batch, i, topic),
          )
          if (news.length === 0) continue
          const items = this.itemsOf(topic, batch, i)
          for (const { sink, found } of news) {
            for (const item of items) if (sink.filter.fits(item)) found.push(item)
          }
        }
      }
    }
  }

  private itemsOf(topic: LiveTopic, ...record: [Parameters<typeof recordOf>[2], number]) {
    try {
      return recordOf(this.codecs, topic, ...record).items
    } catch {
      // The hub has counted it when it came by.
      return []
    }
  }
}

/** The partitions that hold what a sink wants. */
function partitionsOf({ filter }: CatchingUp, count: number): readonly number[] {
  const keys = filter.meterKeys
  if (keys === undefined) return Array.from({ length: count }, (_, partition) => partition)
  return [...new Set(keys.map((key) => partitionOf(Buffer.from(key), count)))]
}
