import {
  Connection,
  findCoordinatorV4,
  heartbeatV4,
  joinGroupV9,
  leaveGroupV5,
  offsetCommitV8,
  ProtocolError,
  syncGroupV5,
} from '@platformatic/kafka'
import { LIMITS } from '../../kernel/limits.ts'
import { logErrors } from '../errors.ts'

/** A membership as the coordinator knows it. */
export interface Membership {
  readonly memberId: string
  readonly generationId: number
}

export interface Joined extends Membership {
  readonly isLeader: boolean
  /** Of the leader: all members and what they said of themselves. */
  readonly members: ReadonlyMap<string, Buffer>
}

export interface CoordinatorOptions {
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly group: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly requestTimeoutMs: number
}

export interface OffsetToCommit {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly metadata: string
}

/** What a broker answered instead, by its name in the protocol; '' where it answered nothing. */
export function answerOf(error: unknown): string {
  const { errors } = error as { errors?: readonly { apiId?: string }[] }
  return errors?.find(({ apiId }) => apiId !== undefined)?.apiId ?? ''
}

const CONSUMER = 'consumer'
const GROUP_KEYS = 0

/**
 * A group's coordinator: found anew after each failure, since it may have moved. Joins have a
 * connection of their own: they wait for all other members, and heartbeats and commits must not
 * wait behind them.
 */
export class Coordinator {
  private readonly options: CoordinatorOptions
  private place: Promise<{ host: string; port: number }> | undefined
  private readonly connections = new Map<'join' | 'other', Promise<Connection>>()
  private isClosed = false

  constructor(options: CoordinatorOptions) {
    this.options = options
  }

  async join(memberId: string, protocol: string, metadata: Buffer): Promise<Joined> {
    const { group, sessionTimeoutMs, rebalanceTimeoutMs } = this.options
    const protocols = [{ name: protocol, metadata }]
    try {
      const answer = await this.ask('join', (connection) =>
        joinGroupV9.api.async(
          connection,
          group,
          sessionTimeoutMs,
          rebalanceTimeoutMs,
          memberId,
          null,
          CONSUMER,
          protocols,
        ),
      )
      return {
        memberId: answer.memberId,
        generationId: answer.generationId,
        isLeader: answer.leader === answer.memberId,
        members: new Map(answer.members.map((one) => [one.memberId, one.metadata])),
      }
    } catch (error) {
      if (answerOf(error) !== 'MEMBER_ID_REQUIRED') throw error
      // The first call only gives the id that the second is to bear.
      const { response } = error as { response: { memberId: string } }
      return this.join(response.memberId, protocol, metadata)
    }
  }

  /** Answers this member's assignment, when the leader has said it. */
  async sync(
    { memberId, generationId }: Membership,
    protocol: string,
    assignments: ReadonlyMap<string, Buffer>,
  ): Promise<Buffer> {
    const list = [...assignments].map(([id, assignment]) => ({ memberId: id, assignment }))
    const { group } = this.options
    const answer = await this.ask('join', (connection) =>
      syncGroupV5.api.async(
        connection,
        group,
        generationId,
        memberId,
        null,
        CONSUMER,
        protocol,
        list,
      ),
    )
    return answer.assignment
  }

  async heartbeat({ memberId, generationId }: Membership): Promise<void> {
    const { group } = this.options
    await this.ask('other', (connection) =>
      heartbeatV4.api.async(connection, group, generationId, memberId, null),
    )
  }

  /** One try; the broker refuses it where the generation is over. */
  async commit(
    { memberId, generationId }: Membership,
    offsets: readonly OffsetToCommit[],
  ): Promise<void> {
    const topics = [...Map.groupBy(offsets, ({ topic }) => topic)].map(([name, list]) => ({
      name,
      partitions: list.map(({ partition, offset, metadata }) => ({
        partitionIndex: partition,
        committedOffset: BigInt(offset),
        committedLeaderEpoch: -1,
        committedMetadata: metadata,
      })),
    }))
    const { group } = this.options
    await this.ask('other', (connection) =>
      offsetCommitV8.api.async(connection, group, generationId, memberId, null, topics),
    )
  }

  async leave({ memberId }: Membership): Promise<void> {
    const { group } = this.options
    await this.ask('other', (connection) =>
      leaveGroupV5.api.async(connection, group, [{ memberId }]),
    )
  }

  private async ask<T>(
    name: 'join' | 'other',
    request: (connection: Connection) => Promise<T>,
  ): Promise<T> {
    if (this.isClosed) throw logErrors.closed({ what: 'the subscription' })
    try {
      return await request(await this.connection(name))
    } catch (error) {
      const answer = answerOf(error)
      // Where it answered at all and is the coordinator, the connection is as good as before.
      const isHere = answer !== '' && !MOVED.includes(answer)
      if (!isHere) await this.forget()
      throw error
    }
  }

  private connection(name: 'join' | 'other'): Promise<Connection> {
    let connection = this.connections.get(name)
    if (connection === undefined) {
      const { requestTimeoutMs, rebalanceTimeoutMs } = this.options
      const waitMs = name === 'join' ? rebalanceTimeoutMs + requestTimeoutMs : requestTimeoutMs
      connection = this.connect(waitMs)
      this.connections.set(name, connection)
    }
    return connection
  }

  private async connect(requestTimeout: number): Promise<Connection> {
    const { host, port } = await (this.place ??= this.find())
    return this.open(host, port, requestTimeout)
  }

  private async open(host: string, port: number, requestTimeout: number): Promise<Connection> {
    const { clientId } = this.options
    const connectTimeout = Math.min(LIMITS.logConnectMsMax, this.options.requestTimeoutMs)
    const connection = new Connection(clientId, { connectTimeout, requestTimeout })
    // What goes wrong is told to who asks.
    connection.on('error', () => undefined)
    await connection.connect(host, port)
    return connection
  }

  /** Any broker knows it. */
  private async find(): Promise<{ host: string; port: number }> {
    let failure: unknown
    for (const broker of this.options.brokers) {
      const at = broker.lastIndexOf(':')
      try {
        const { requestTimeoutMs, group } = this.options
        const connection = await this.open(
          broker.slice(0, at),
          Number(broker.slice(at + 1)),
          requestTimeoutMs,
        )
        try {
          const answer = await findCoordinatorV4.api.async(connection, GROUP_KEYS, [group])
          const [found] = answer.coordinators
          if (found === undefined || found.errorCode !== 0) {
            throw new ProtocolError(found?.errorCode ?? 15)
          }
          return { host: found.host, port: found.port }
        } finally {
          await connection.close()
        }
      } catch (error) {
        failure = error
      }
    }
    throw failure as Error
  }

  private async forget(): Promise<void> {
    const open = [...this.connections.values()]
    this.connections.clear()
    this.place = undefined
    await Promise.allSettled(open.map(async (one) => (await one).close()))
  }

  async close(): Promise<void> {
    this.isClosed = true
    await this.forget()
  }
}

/** What a broker says that is not the coordinator, or not yet. */
const MOVED = ['NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE', 'COORDINATOR_LOAD_IN_PROGRESS']
