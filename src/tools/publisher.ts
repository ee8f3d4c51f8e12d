import { LIMITS } from '../kernel/limits.ts'
import { Connection, type OnAck } from './publish/connection.ts'
import { publishErrors } from './publish/errors.ts'
import type { Credentials } from './publish/frames.ts'

/**
 * A publisher of readings over MQTT 3.1.1 at QoS 1, made for loads: the generator of `replay`, of
 * `simulate` and of the benchmarks.
 *
 * - connection: one TCP connection with a client id of its own. It comes back by itself when it is
 *   cut.
 * - window: the publishes of a connection that may wait for their PUBACK at one time. What waits is
 *   kept, and sent again (DUP set, in the old order) on the next connection: nothing is lost while
 *   the process lives, and a PUBACK that got lost makes a repeat.
 */
export interface PublisherOptions {
  /** mqtt://[user:password@]host[:port], or mqtts://. */
  readonly url: string
  readonly connections: number
  readonly window: number
  /** Client ids are this and the number of the connection. */
  readonly clientIdPrefix: string
  readonly credentials?: Credentials
  /** Called once for each publish, when its PUBACK comes; `tag` is what `publish` was given. */
  readonly onAck?: OnAck
  /**
   * How long the first CONNACKs may take (10 s). A connection that was up once is tried for ever.
   */
  readonly connectMsMax?: number
  /** A connection was cut, or could not be made; it is tried again. */
  readonly onTrouble?: (why: string) => void
}

export interface PublishOptions {
  /** Chooses the connection; else the topic does, so that a meter's publishes keep their order. */
  readonly connection?: number
  /** Handed to `onAck`. */
  readonly tag?: unknown
}

export interface PublisherStats {
  readonly acknowledged: number
  readonly resent: number
  readonly cuts: number
  readonly inFlight: number
}

export interface Publisher {
  /**
   * Takes one publish. It goes out at the end of this turn of the loop, together with what was
   * taken beside it.
   *
   * @returns undefined where the window had room, else a promise for when it has been taken: wait
   *   for it before the next one, or memory grows.
   * @throws publish.tooLong, publish.refused, publish.closed.
   */
  publish(
    topic: string,
    payload: string | Uint8Array,
    options?: PublishOptions,
  ): Promise<void> | undefined
  /** Resolves when all that was taken is acknowledged. */
  flush(): Promise<void>
  stats(): PublisherStats
  /**
   * Lets go, acknowledged or not; `flush` first where that matters. Resolves when all sockets are
   * gone.
   */
  close(): Promise<void>
}

interface Waiting {
  readonly topic: string
  readonly payload: string | Uint8Array
  readonly tag: unknown
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/**
 * Opens all connections.
 *
 * @throws publish.badUrl, publish.unreachable (not all are answered in time), publish.refused.
 */
export async function openPublisher(options: PublisherOptions): Promise<Publisher> {
  const publisher = new MqttPublisher(options)
  try {
    await publisher.opened(options.connectMsMax ?? LIMITS.publisherConnectMsMax)
  } catch (error) {
    await publisher.close()
    throw error
  }
  return publisher
}

function parseUrl(url: string): URL {
  const parsed = URL.parse(url)
  if (parsed === null || !/^mqtts?:$/.test(parsed.protocol) || parsed.hostname === '') {
    throw publishErrors.badUrl({ url })
  }
  return parsed
}

class MqttPublisher implements Publisher {
  readonly #url: URL
  readonly #connections: Connection[] = []
  readonly #waiting: Waiting[][] = []
  readonly #dirty = new Set<Connection>()
  #isFlushPlanned = false
  #failure: Error | undefined
  /** Called after every change; each takes itself out when it has seen what it waits for. */
  readonly #watchers = new Set<() => void>()
  #lastTrouble = 'no answer'

  constructor(options: PublisherOptions) {
    this.#url = parseUrl(options.url)
    const { username, password } = this.#url
    const credentials =
      options.credentials ??
      (username === ''
        ? undefined
        : { username: decodeURIComponent(username), password: decodeURIComponent(password) })
    for (let i = 0; i < options.connections; i += 1) {
      const connection = new Connection({
        url: this.#url,
        clientId: `${options.clientIdPrefix}${i}`,
        credentials,
        window: Math.min(options.window, LIMITS.publisherWindowMax),
        onAck: options.onAck,
        onRoom: () => {
          this.#admit(i)
        },
        onDown: (why) => {
          this.#lastTrouble = why
          options.onTrouble?.(why)
        },
        onRefused: (error) => {
          this.#fail(error)
        },
      })
      this.#connections.push(connection)
      this.#waiting.push([])
    }
    for (const connection of this.#connections) connection.open()
  }

  async opened(msMax: number): Promise<void> {
    const timer = setTimeout(() => {
      const url = this.#url.host
      const detail = this.#lastTrouble
      this.#fail(publishErrors.unreachable({ url, detail, seconds: msMax / 1_000 }))
    }, msMax)
    try {
      await this.#until(() => this.#connections.every((connection) => connection.isUp))
    } finally {
      clearTimeout(timer)
    }
  }

  publish(
    topic: string,
    payload: string | Uint8Array,
    options?: PublishOptions,
  ): Promise<void> | undefined {
    if (this.#failure !== undefined) throw this.#failure
    const count = this.#connections.length
    const index = (options?.connection ?? hashOf(topic)) % count
    const connection = this.#connections[index]!
    const waiting = this.#waiting[index]!
    if (connection.isFull || waiting.length > 0) {
      return new Promise((resolve, reject) => {
        waiting.push({ topic, payload, tag: options?.tag, resolve, reject })
      })
    }
    connection.add(topic, payload, options?.tag)
    this.#planFlush(connection)
    return undefined
  }

  async flush(): Promise<void> {
    await this.#until(() => this.stats().inFlight === 0)
  }

  stats(): PublisherStats {
    const sum = { acknowledged: 0, resent: 0, cuts: 0, inFlight: 0 }
    for (const [i, connection] of this.#connections.entries()) {
      sum.acknowledged += connection.acknowledged
      sum.resent += connection.resent
      sum.cuts += connection.cuts
      sum.inFlight += connection.inFlight + this.#waiting[i]!.length
    }
    return sum
  }

  async close(): Promise<void> {
    const unacknowledged = this.stats().inFlight
    this.#fail(publishErrors.closed({ url: this.#url.host, unacknowledged }))
    await Promise.all(this.#connections.map((connection) => connection.close()))
  }

  #planFlush(connection: Connection): void {
    this.#dirty.add(connection)
    if (this.#isFlushPlanned) return
    this.#isFlushPlanned = true
    // At the end of this turn, so that all that it publishes goes out by one write a connection.
    setImmediate(() => {
      this.#isFlushPlanned = false
      for (const each of this.#dirty) each.flush()
      this.#dirty.clear()
    })
  }

  /** Room has come: those who wait go first, in their order. */
  #admit(index: number): void {
    const connection = this.#connections[index]!
    const waiting = this.#waiting[index]!
    let taken = 0
    while (taken < waiting.length && !connection.isFull) {
      const { topic, payload, tag, resolve, reject } = waiting[taken]!
      taken += 1
      try {
        connection.add(topic, payload, tag)
        resolve()
      } catch (error) {
        reject(error as Error)
      }
    }
    waiting.splice(0, taken)
    if (taken > 0) this.#planFlush(connection)
    for (const watcher of this.#watchers) watcher()
  }

  #until(isSo: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const watcher = () => {
        if (this.#failure === undefined && !isSo()) return
        this.#watchers.delete(watcher)
        if (this.#failure === undefined) resolve()
        else reject(this.#failure)
      }
      this.#watchers.add(watcher)
      watcher()
    })
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    for (const connection of this.#connections) void connection.close()
    for (const waiting of this.#waiting) {
      for (const each of waiting.splice(0)) each.reject(error)
    }
    for (const watcher of this.#watchers) watcher()
  }
}

/** FNV-1a, over UTF-16 units: spreads topics evenly over connections. */
function hashOf(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h >>> 0
}
