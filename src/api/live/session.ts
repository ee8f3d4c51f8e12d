import { Compile } from 'typebox/compile'
import { LIMITS } from '../../kernel/limits.ts'
import type { Registry } from '../../registry/registry.ts'
import { ClientMessage, type ServerMessage, type Subscribe } from '../contract/live.ts'
import type { Connection } from './connection.ts'
import { liveErrors } from './errors.ts'
import type { EveryFeeds } from './every-feeds.ts'
import { Filter } from './filter.ts'
import type { LiveFleet } from './fleet.ts'
import type { Hub } from './hub.ts'
import { type LiveItem, readingItem } from './item.ts'
import type { LiveMetrics } from './live-metrics.ts'
import type { TopicPlace } from './position.ts'
import type { Replayer } from './replay.ts'
import { CatchingUp, LatestFeed, type Sink } from './sinks.ts'
import type { Tokens } from './token.ts'

const BRANCHES = new Map(
  ClientMessage.anyOf.map((schema) => [schema.properties.type.const as string, Compile(schema)]),
)

export interface SessionOptions {
  readonly hub: Hub
  readonly feeds: EveryFeeds
  readonly replayer: Replayer
  readonly registry: Registry
  readonly fleet: LiveFleet
  readonly tokens: Tokens
  readonly metrics: LiveMetrics
  readonly epoch: number
}

/** What one client has subscribed to. */
export class Session {
  private readonly tenant: string
  private readonly connection: Connection
  private readonly options: SessionOptions
  private readonly sinks = new Map<string, Sink>()

  constructor(tenant: string, connection: Connection, options: SessionOptions) {
    this.tenant = tenant
    this.connection = connection
    this.options = options
    this.say({ type: 'hello', tenant, pingSeconds: LIMITS.livePingEveryMs / 1_000 })
  }

  get subscriptions(): number {
    return this.sinks.size
  }

  /** What is wrong with a message is told; it costs the client nothing else. */
  async message(text: string): Promise<void> {
    this.connection.heard()
    try {
      const message = parse(text)
      if (message.type === 'ping') this.say({ type: 'pong' })
      else if (message.type === 'unsubscribe') this.unsubscribe(message.id)
      else await this.subscribe(message)
    } catch (error) {
      const { code, message, fields } = error as {
        code?: unknown
        message: string
        fields?: object
      }
      if (typeof code !== 'string' || !code.startsWith('live.')) throw error
      const id = (fields as { id?: string } | undefined)?.id
      this.say({ type: 'error', code, message, ...(id === undefined ? {} : { id }) })
    }
  }

  close(): void {
    for (const sink of this.sinks.values()) this.remove(sink)
    this.sinks.clear()
  }

  private say(message: ServerMessage): void {
    this.connection.send(JSON.stringify(message))
  }

  private unsubscribe(id: string): void {
    const sink = this.sinks.get(id)
    if (sink === undefined) throw liveErrors.unknownId({ id })
    this.sinks.delete(id)
    this.remove(sink)
    this.say({ type: 'unsubscribed', id })
  }

  private remove(sink: Sink): void {
    if (!this.options.feeds.leave(sink, this.connection)) this.options.hub.delete(sink)
  }

  private async subscribe(message: Subscribe): Promise<void> {
    const { id, topic, token } = message
    if (this.sinks.has(id)) throw liveErrors.idTaken({ id })
    if (this.sinks.size >= LIMITS.liveSubscriptionsMax)
      throw liveErrors.tooManySubscriptions({ id })
    const filter = new Filter(this.tenant, message, this.options.registry)
    if (token === undefined) {
      this.goLive(message, filter, [], false)
      if (topic === 'readings' && message.mode === 'latest') this.tellLatest(id)
      return
    }
    const sink = new CatchingUp(topic, id, filter, this.connection)
    this.sinks.set(id, sink)
    const place = this.options.tokens.read(token)
    const answer = await this.catchUp(sink, place)
    // The client may have gone, or unsubscribed, meanwhile.
    if (!this.connection.isOpen || this.sinks.get(id) !== sink) return
    this.sinks.delete(id)
    this.options.hub.delete(sink)
    const { metrics } = this.options
    if (typeof answer === 'string') {
      metrics.resyncs.inc()
      this.say({ type: 'resync', id, reason: answer })
      this.goLive(message, filter, [], false)
      return
    }
    metrics.resumes.inc()
    this.goLive(message, filter, [...answer, ...sink.items], true)
  }

  /** What the client missed; or why it cannot be told. */
  private async catchUp(
    sink: CatchingUp,
    place: TopicPlace | undefined,
  ): Promise<readonly LiveItem[] | string> {
    const { hub, epoch, replayer } = this.options
    if (place === undefined) return 'the token is none that this api has signed'
    if (place.tenant !== this.tenant) return "the token is another tenant's"
    if (place.topic !== sink.topic) return `the token is one of topic ${place.topic}`
    if (place.epoch !== epoch) return 'the log was made anew since'
    const { length } = hub.places(sink.topic)
    if (place.partitions.length !== length) return 'the log has other partitions by now'
    if (!(await this.reached(place))) return 'this api is behind the one that gave the token'
    if (this.options.fleet.logMillis - place.logMillis > LIMITS.liveReplayMsMax) {
      return `the token is older than ${LIMITS.liveReplayMsMax / 60_000} min`
    }
    // From here on it is offered what comes: nothing lies between `until` and that.
    const until = hub.places(sink.topic)
    hub.add(sink)
    return replayer.missed(sink, place, until)
  }

  /** Another api may have been ahead of this one by a moment. */
  private async reached(place: TopicPlace): Promise<boolean> {
    const deadlineMs = performance.now() + LIMITS.liveBehindMsMax
    for (;;) {
      const places = this.options.hub.places(place.topic)
      if (place.partitions.every(({ next }, p) => (places[p]?.next ?? 0) >= next)) return true
      if (performance.now() > deadlineMs || !this.connection.isOpen) return false
      await new Promise((resolve) => setTimeout(resolve, LIMITS.liveFlushMs / 2))
    }
  }

  /** Says so, tells what was missed, and goes on with what comes. Nothing may be awaited here. */
  private goLive(
    message: Subscribe,
    filter: Filter,
    missed: readonly LiveItem[],
    resumed: boolean,
  ): void {
    const { id, topic, mode } = message
    const { hub, feeds } = this.options
    const token = hub.token(this.tenant, topic)
    // Until the client has what it missed, it is where it was.
    const at = missed.length === 0 ? token : (message.token ?? token)
    this.say({ type: 'subscribed', id, resumed, token: at })
    if (mode === 'latest') {
      const sink = new LatestFeed(topic, id, filter, this.connection)
      this.sinks.set(id, sink)
      hub.add(sink)
      hub.offer(sink, missed)
      return
    }
    feeds.tell(this.connection, { topic, id }, missed, token)
    this.sinks.set(id, feeds.join(message, filter, this.connection))
  }

  /** In mode `latest` a client begins with what is known, so that it need not ask elsewhere. */
  private tellLatest(id: string): void {
    const sink = this.sinks.get(id)!
    const { fleet, hub } = this.options
    const items: LiveItem[] = []
    for (const meterId of fleet.meterIds(this.tenant)) {
      for (const [channel, { at, value, quality }] of fleet.meter(this.tenant, meterId)!.channels) {
        const reading = { tenant: this.tenant, meterId, at, seq: null, measurements: [] }
        const item = readingItem(reading, { channel, value: value ?? NaN, quality })
        if (sink.filter.fits(item)) items.push(item)
      }
      // Of a fleet this large the client asks for the meters that it shows.
      if (items.length >= LIMITS.liveConflatedItemsMax) return
    }
    hub.offer(sink, items)
  }
}

/** @throws live.notJson, live.badMessage */
function parse(text: string): ClientMessage {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw liveErrors.notJson({ detail: (error as Error).message })
  }
  const type = (value as { type?: unknown } | null)?.type
  const branch = typeof type === 'string' ? BRANCHES.get(type) : undefined
  if (branch === undefined) {
    const found = type === undefined ? 'missing' : JSON.stringify(type)
    const detail = `is ${found}, but must be one of ${[...BRANCHES.keys()].join(', ')}`
    throw liveErrors.badMessage({ field: 'type', detail })
  }
  const [first] = branch.Errors(value)
  if (first !== undefined) {
    const field = first.instancePath.slice(1).replaceAll('/', '.') || 'the message'
    // What TypeBox says of a name that the schema does not have.
    const isUnknown = first.message === 'schema is false'
    throw liveErrors.badMessage({ field, detail: isUnknown ? 'is not known' : first.message })
  }
  return value as ClientMessage
}
