import {
  type Broker,
  type CallbackWithPromise,
  Connection,
  ConnectionPool,
  Consumer,
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
  readonly idOf: ReadonlyMap<string, string>
  readonly topicOf: ReadonlyMap<string, string>
}

export interface FetchedRecords {
  readonly topic: string
  readonly partition: number
  /** Record batches as the broker stores them, for `readRecordSet`. */
  readonly records: Buffer
}

/**
 * Fetches without a group: kafkajs has no call for that, @platformatic/kafka has. It asks, and
 * keeps sessions, leaders and retries; the records stay the bytes that they are. Connects when it
 * is first asked.
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
    for (const topic of topics) this.client.topics.track(topic)
    const metadata = await this.client.metadata({ topics, forceUpdate: isAnew })
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
    return { byNode, idOf, topicOf: new Map([...idOf].map(([topic, id]) => [id, topic])) }
  }

  /** What one broker has behind some places; waits a while where that is nothing. */
  async fetch(
    node: number,
    places: readonly FetchPlace[],
    { idOf, topicOf }: Leaders,
    { waitMs, partitionBytesMax }: FetchOptions,
  ): Promise<readonly FetchedRecords[]> {
    const byTopic = Map.groupBy(places, ({ topic }) => topic)
    const answer = (await this.client.fetch({
      node,
      maxWaitTime: waitMs,
      minBytes: 1,
      maxBytes: LIMITS.logFetchAnswerBytesMax,
      isolationLevel: 0,
      connectionPool: this.pool,
      topics: [...byTopic].map(([topic, list]) => ({
        topicId: idOf.get(topic)!,
        partitions: list.map(({ partition, next }) => ({
          partition,
          currentLeaderEpoch: -1,
          fetchOffset: BigInt(next),
          lastFetchedEpoch: -1,
          partitionMaxBytes: partitionBytesMax,
        })),
      })),
    })) as unknown as FetchAnswer
    return answer.responses.flatMap(({ topicId, partitions }) =>
      partitions.map(({ partitionIndex: partition, records }) => ({
        topic: topicOf.get(topicId) ?? '',
        partition,
        records,
      })),
    )
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
