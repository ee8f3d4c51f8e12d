import { LIMITS } from '../../kernel/limits.ts'
import type { LiveTopic } from '../contract/live.ts'
import type { Connection } from './connection.ts'
import type { Filter } from './filter.ts'
import { frameTexts, type LiveItem } from './item.ts'

/** What wants items of a topic: offered as they come, flushed some times a second. */
export interface Sink {
  readonly topic: LiveTopic
  readonly id: string
  readonly filter: Filter
  offer(item: LiveItem): void
  /**
   * Sends what was offered; `token` says where the topic is after it. False where it waits for its
   * client.
   */
  flush(token: () => string): boolean
}

/**
 * Mode `every`, of all subscriptions that are alike: their frames are the same bytes, made once.
 */
export class EveryFeed implements Sink {
  readonly topic: LiveTopic
  readonly id: string
  readonly filter: Filter
  private readonly members = new Set<Connection>()
  private items: LiveItem[] = []

  constructor(topic: LiveTopic, id: string, filter: Filter) {
    this.topic = topic
    this.id = id
    this.filter = filter
  }

  get isEmpty(): boolean {
    return this.members.size === 0
  }

  /** Flush first: what was offered before is not the newcomer's. */
  join(connection: Connection): void {
    this.members.add(connection)
  }

  leave(connection: Connection): void {
    this.members.delete(connection)
  }

  offer(item: LiveItem): void {
    this.items.push(item)
  }

  flush(token: () => string): boolean {
    if (this.items.length === 0) return true
    const frames = frameTexts(this, this.items, token()).map((text) => Buffer.from(text))
    this.items = []
    for (const connection of this.members) {
      for (const frame of frames) connection.send(frame)
    }
    return true
  }
}

/** Mode `latest`: the newest item of each series, when the client takes it. */
export class LatestFeed implements Sink {
  readonly topic: LiveTopic
  readonly id: string
  readonly filter: Filter
  private readonly connection: Connection
  private items = new Map<string, LiveItem>()
  private tokenAtMs = -Infinity

  constructor(topic: LiveTopic, id: string, filter: Filter, connection: Connection) {
    this.topic = topic
    this.id = id
    this.filter = filter
    this.connection = connection
  }

  offer(item: LiveItem): void {
    const known = this.items.get(item.series)
    if (known !== undefined && !item.replaces(known)) return
    this.items.set(item.series, item)
    if (this.items.size > LIMITS.liveConflatedItemsMax) this.connection.closeSlow()
  }

  flush(token: () => string): boolean {
    if (this.items.size === 0) return true
    if (!this.connection.canTake) return false
    const nowMs = performance.now()
    const isTokenDue = nowMs - this.tokenAtMs >= LIMITS.liveTokenEveryMs
    if (isTokenDue) this.tokenAtMs = nowMs
    const items = [...this.items.values()]
    this.items = new Map()
    for (const text of frameTexts(this, items, isTokenDue ? token() : undefined)) {
      this.connection.send(text)
    }
    return true
  }
}

/** A subscription that reads what it missed: what comes meanwhile waits behind it. */
export class CatchingUp implements Sink {
  readonly topic: LiveTopic
  readonly id: string
  readonly filter: Filter
  readonly items: LiveItem[] = []
  private readonly connection: Connection

  constructor(topic: LiveTopic, id: string, filter: Filter, connection: Connection) {
    this.topic = topic
    this.id = id
    this.filter = filter
    this.connection = connection
  }

  offer(item: LiveItem): void {
    this.items.push(item)
    if (this.items.length > LIMITS.liveReplayRecordsMax) this.connection.closeSlow()
  }

  /** Not before what lies in front of it. */
  flush(): boolean {
    return true
  }
}
