import { hasCode } from '../../kernel/errors.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { Log, RecordBatch, Tail } from '../../log/log.ts'
import { partitionKey } from '../../log/log.ts'
import type { Topics } from '../../log/topics.ts'
import type { Codecs } from '../../schemas/codecs.ts'
import { LIVE_TOPICS, type LiveTopic } from '../contract/live.ts'
import type { LiveFleet } from './fleet.ts'
import { SinkIndex } from './index-of-sinks.ts'
import type { LiveItem } from './item.ts'
import type { LiveMetrics } from './live-metrics.ts'
import type { PartitionPlace, TopicPlace } from './position.ts'
import { PartitionReader, recordOf } from './records.ts'
import type { Sink } from './sinks.ts'
import type { Tokens } from './token.ts'

export interface HubOptions {
  readonly log: Log
  readonly topics: Topics
  readonly codecs: Codecs
  readonly epoch: number
  readonly fleet: LiveFleet
  readonly tokens: Tokens
  readonly metrics: LiveMetrics
  readonly onTrouble: (error: unknown) => void
  /** Something came. */
  readonly onMoved: () => void
  /** The log has moved away from under the hub: every client is to begin anew. */
  readonly onFailed: (error: unknown) => void
}

interface Feed {
  readonly index: SinkIndex
  readonly partitions: PartitionReader[]
}

/**
 * Follows the log's end and hands what comes to the sinks that want it. All sinks of a topic are at
 * one place, so that a token is the same for all of a tenant's.
 */
export class Hub {
  private readonly options: HubOptions
  private readonly feeds: ReadonlyMap<LiveTopic, Feed>
  private readonly names: ReadonlyMap<string, LiveTopic>
  private readonly dirty = new Set<Sink>()
  /** Tokens of this moment; nothing has come since. */
  private readonly issued = new Map<string, string>()
  private tail: Tail | undefined

  constructor(options: HubOptions) {
    this.options = options
    this.feeds = new Map(LIVE_TOPICS.map((t) => [t, { index: new SinkIndex(), partitions: [] }]))
    this.names = new Map(LIVE_TOPICS.map((topic) => [options.topics[topic], topic]))
  }

  /** Begins a little before the end: what was last seen of a meter is known from there. */
  async start(): Promise<void> {
    const { log, topics } = this.options
    const from = new Map<string, number>()
    for (const [topic, feed] of this.feeds) {
      const name = topics[topic]
      const [begin, end] = await Promise.all([log.beginOffsets(name), log.endOffsets(name)])
      for (const [partition, endOffset] of end.entries()) {
        const first = Math.max(begin[partition] ?? 0, endOffset - LIMITS.liveLookBackRecords)
        from.set(partitionKey(name, partition), first)
        const place = { next: first, sourceOffset: -1, sourceIndex: -1 }
        feed.partitions[partition] = new PartitionReader(place)
      }
    }
    this.tail = await log.tail({
      topics: LIVE_TOPICS.map((topic) => topics[topic]),
      from,
      onBatch: (batch) => {
        this.take(batch)
        return Promise.resolve()
      },
      onTrouble: this.options.onTrouble,
      onFailed: this.options.onFailed,
    })
  }

  private take(batch: RecordBatch): void {
    const topic = this.names.get(batch.topic)!
    const feed = this.feeds.get(topic)!
    const reader = feed.partitions[batch.partition]!
    const { fleet, metrics } = this.options
    for (let i = 0; i < batch.count; i++) {
      const appendMillis = batch.appendMillis[i]!
      if (!reader.take(batch, i, topic)) {
        metrics.repeats.inc()
        continue
      }
      const record = this.decode(topic, batch, i)
      fleet.tick(appendMillis)
      if (record === undefined) continue
      if (record.reading !== undefined) fleet.reading(record.reading, appendMillis)
      for (const item of record.items) feed.index.offer(item, this.dirty)
    }
    reader.next = batch.nextOffset
    this.issued.clear()
    if (batch.count > 0) metrics.took(topic, batch)
    this.options.onMoved()
  }

  /** What is no record of ours is passed over, and counted: one bad record must not end a feed. */
  private decode(topic: LiveTopic, batch: RecordBatch, i: number) {
    try {
      return recordOf(this.options.codecs, topic, batch, i)
    } catch (error) {
      const isKnown = ['notConfluent', 'unknownId', 'damaged'].some((name) =>
        hasCode(error, `schemas.${name}`),
      )
      if (!isKnown) throw error
      this.options.metrics.unreadable.inc()
      return undefined
    }
  }

  /** Some times a second. */
  flush(): void {
    for (const sink of this.dirty) this.settle(sink)
  }

  /** Sends what the sink was offered so far; what its client cannot take yet stays offered. */
  settle(sink: Sink): void {
    const isSent = sink.flush(() => this.token(sink.filter.tenant, sink.topic))
    if (isSent) this.dirty.delete(sink)
  }

  /** From now on the sink is offered what comes. */
  add(sink: Sink): void {
    this.feeds.get(sink.topic)!.index.add(sink)
  }

  delete(sink: Sink): void {
    this.feeds.get(sink.topic)!.index.delete(sink)
    this.dirty.delete(sink)
  }

  offer(sink: Sink, items: readonly LiveItem[]): void {
    for (const item of items) sink.offer(item)
    this.dirty.add(sink)
  }

  places(topic: LiveTopic): readonly PartitionPlace[] {
    return this.feeds.get(topic)!.partitions.map(({ place }) => place)
  }

  token(tenant: string, topic: LiveTopic): string {
    const key = `${topic}/${tenant}`
    let token = this.issued.get(key)
    if (token === undefined) {
      const { epoch, fleet, tokens } = this.options
      // Of a log that holds nothing yet the time is not known: it is now.
      const logMillis = fleet.logMillis === 0 ? Date.now() : fleet.logMillis
      const place: TopicPlace = { tenant, topic, epoch, logMillis, partitions: this.places(topic) }
      token = tokens.issue(place)
      this.issued.set(key, token)
    }
    return token
  }

  async close(): Promise<void> {
    await this.tail?.close()
  }
}
