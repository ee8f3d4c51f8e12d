import {
  type Broker,
  type CallbackWithPromise,
  Connection,
  ConnectionPool,
  Consumer,
  type fetchV17,
  kGetApi,
} from '@platformatic/kafka'
import { LIMITS } from '../kernel/limits.ts'
import { logErrors } from './errors.ts'
import { FETCH_KEY, FETCH_VERSION_MIN, type FetchAnswer, parseFetch } from './fetch-response.ts'

type SendArgs<T> = Parameters<typeof Connection.prototype.send<T>>

/** From where a partition is to be fetched. */
export interface FetchPlace {
  readonly topic: string
  readonly partition: number
  readonly next: number
}

export interface FetchOptions {
  readonly waitMs: number
  readonly partitionBytesMax: number
}

/** What the cluster says of some topics. */
export interface Leaders {
  /** The broker that leads each place. */
  readonly byNode: ReadonlyMap<number, readonly FetchPlace[]>
  readonly brokers: ReadonlyMap<number, Broker>
  readonly idOf: ReadonlyMap<string, string>
  readonly topicOf: ReadonlyMap<string, string>
}

export interface FetchedRecords {
  readonly topic: string
  readonly partition: number
  /** Record batches as the broker stores them, for `readRecordSet`. */
  readonly records: Buffer
}

type FetchArgs =
  Parameters<typeof fetchV17.api.async> extends [unknown, ...infer Rest] ? Rest : never
type FetchApi = (connection: Connection, ...args: FetchArgs) => Promise<unknown>

/** No fetch session (KIP-227): each request says all that it wants. */
const NO_SESSION = [0, -1] as const

/**
 * Fetches without a group: kafkajs has no call for that, @platformatic/kafka has. Of that its
 * requests, connections and what it knows of the cluster are used. Its own fetch is not: while its
 * memory of the cluster is cleared it throws in a socket's callback, which ends the process. The
 * records stay the bytes that they are. Connects when it is first asked; who asks tries again.
 */
export class KafkaFetcher {
  private readonly client: Consumer
  private readonly pool: BytesPool

  constructor(brokers: readonly string[], clientId: string) {
    const connection = {
      connectTimeout: LIMITS.logConnectMsMax,
      requestTimeout: LIMITS.logRequestMsMax,
    }
    this.client = new Consumer({
      clientId,
      // Never joined: the client wants a name all the same.
      groupId: `${clientId}-reader`,
      bootstrapBrokers: [...brokers],
      retries: LIMITS.logAdminRetriesMax,
      retryDelay: LIMITS.logRetryMsMin,
      ...connection,
    })
    this.pool = new BytesPool(clientId, connection)
  }

  /** @throws log.unknownTopic where a partition has no leader. */
  async leaders(places: readonly FetchPlace[], isAnew: boolean): Promise<Leaders> {
    const topics = [...new Set(places.map(({ topic }) => topic))]
    let metadata = await this.client.metadata({ topics, forceUpdate: isAnew })
    // Of topics that another call forgot meanwhile there is nothing: then all are asked for.
    if (topics.some((topic) => metadata.topics.get(topic) === undefined)) {
      metadata = await this.client.metadata({ topics, forceUpdate: true })
    }
    const byNode = new Map<number, FetchPlace[]>()
    const idOf = new Map<string, string>()
    for (const place of places) {
      const { topic, partition } = place
      const found = metadata.topics.get(topic)
      const leader = found?.partitions[partition]?.leader
      if (found === undefined || leader === undefined || leader < 0) {
        throw logErrors.unknownTopic({ topic })
      }
      idOf.set(topic, found.id)
      const led = byNode.get(leader)
      if (led === undefined) byNode.set(leader, [place])
      else led.push(place)
    }
    const topicOf = new Map([...idOf].map(([topic, id]) => [id, topic]))
    return { byNode, brokers: metadata.brokers, idOf, topicOf }
  }

  /** What one broker has behind some places; waits a while where that is nothing. */
  async fetch(
    node: number,
    places: readonly FetchPlace[],
    { brokers, idOf, topicOf }: Leaders,
    { waitMs, partitionBytesMax }: FetchOptions,
  ): Promise<readonly FetchedRecords[]> {
    const byTopic = Map.groupBy(places, ({ topic }) => topic)
    const topics = [...byTopic].map(([topic, list]) => ({
      topicId: idOf.get(topic)!,
      partitions: list.map(({ partition, next }) => ({
        partition,
        currentLeaderEpoch: -1,
        fetchOffset: BigInt(next),
        lastFetchedEpoch: -1,
        partitionMaxBytes: partitionBytesMax,
      })),
    }))
    const connection = await this.pool.get(brokers.get(node)!)
    const request = await this.fetchApi()
    const bounds = [waitMs, 1, LIMITS.logFetchAnswerBytesMax, 0] as const
    const answer = await request(connection, ...bounds, ...NO_SESSION, topics, [], '')
    return (answer as FetchAnswer).responses.flatMap(({ topicId, partitions }) =>
      partitions
        .filter(({ records }) => records.length > 0)
        .map(({ partitionIndex: partition, records }) => ({
          topic: topicOf.get(topicId) ?? '',
          partition,
          records,
        })),
    )
  }

  /** The newest version of the request that the brokers know. */
  private async fetchApi(): Promise<FetchApi> {
    const found = Promise.withResolvers<FetchApi>()
    this.client[kGetApi]<FetchArgs, unknown>('Fetch', (error, api) => {
      if (api === undefined) found.reject(error!)
      else found.resolve(api.async)
    })
    return found.promise
  }

  async close(): Promise<void> {
    await Promise.all([this.client.close(true), this.pool.close()])
  }
}

/** Connections whose fetches are answered with bytes rather than with objects. */
class BytesPool extends ConnectionPool {
  private readonly wrapped = new WeakMap<Connection, Connection>()

  override get(broker: Broker): Promise<Connection>
  override get(broker: Broker, callback: CallbackWithPromise<Connection>): void
  override get(
    broker: Broker,
    callback?: CallbackWithPromise<Connection>,
  ): Promise<Connection> | undefined {
    if (callback === undefined) return super.get(broker).then((one) => this.wrap(one))
    super.get(broker, (error, connection) => {
      callback(error, connection && this.wrap(connection))
    })
    return undefined
  }

  private wrap(connection: Connection): Connection {
    let wrapped = this.wrapped.get(connection)
    if (wrapped === undefined) {
      wrapped = new BytesConnection(connection)
      this.wrapped.set(connection, wrapped)
    }
    return wrapped
  }
}

/** Sends through another one; it is never connected itself. */
class BytesConnection extends Connection {
  private readonly inner: Connection

  constructor(inner: Connection) {
    super()
    this.inner = inner
  }

  override send<T>(...[key, version, create, , ...rest]: SendArgs<T>): void {
    if (key !== FETCH_KEY || version < FETCH_VERSION_MIN) {
      throw logErrors.oldBroker({ version, wants: FETCH_VERSION_MIN })
    }
    // What a fetch is answered with is ours from here on; the library hands it through.
    const parser = ((_correlationId, _key, _version, { buffer, position, length }) =>
      parseFetch(buffer.slice(position, length), version)) as SendArgs<T>[3]
    this.inner.send<T>(key, version, create, parser, ...rest)
  }
}
