import type { LiveTopic, Subscribe } from '../contract/live.ts'
import type { Connection } from './connection.ts'
import type { Filter } from './filter.ts'
import type { Hub } from './hub.ts'
import { frameTexts, type LiveItem } from './item.ts'
import { EveryFeed, type Sink } from './sinks.ts'

/** The feeds of mode `every`: subscriptions that ask for the same share one. */
export class EveryFeeds {
  private readonly hub: Hub
  private readonly byWords = new Map<string, EveryFeed>()
  private readonly words = new Map<EveryFeed, string>()

  constructor(hub: Hub) {
    this.hub = hub
  }

  /** The feed, of which the connection is told everything from this moment on. */
  join(message: Subscribe, filter: Filter, connection: Connection): EveryFeed {
    const words = JSON.stringify([filter.tenant, { ...message, token: undefined }])
    let feed = this.byWords.get(words)
    if (feed === undefined) {
      feed = new EveryFeed(message.topic, message.id, filter)
      this.byWords.set(words, feed)
      this.words.set(feed, words)
      this.hub.add(feed)
    }
    this.hub.settle(feed)
    feed.join(connection)
    return feed
  }

  /** False where the sink is none of these feeds. */
  leave(sink: Sink, connection: Connection): boolean {
    if (!(sink instanceof EveryFeed)) return false
    sink.leave(connection)
    if (sink.isEmpty) {
      this.byWords.delete(this.words.get(sink)!)
      this.words.delete(sink)
      this.hub.delete(sink)
    }
    return true
  }

  /** What one connection alone has missed. */
  tell(
    connection: Connection,
    head: { topic: LiveTopic; id: string },
    items: readonly LiveItem[],
    token: string,
  ): void {
    for (const text of frameTexts(head, items, token)) connection.send(text)
  }
}
