import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Producer as Client,
  type Connection,
  NetworkError,
  findErrorBy,
} from '@platformatic/kafka'
import { LIMITS } from '../../kernel/limits.ts'
import type { BatchWriter } from './batch-writer.ts'
import { produce } from './produce-request.ts'

/** A batch on its way to its partition. */
export interface Outbound {
  readonly partition: number
  readonly writer: BatchWriter
  /** Where it lies; -1 until it is acknowledged. */
  baseOffset: number
}

interface Signed {
  readonly to: Outbound
  readonly batch: Buffer
}

/** What the brokers know this producer by, and how many records each partition has of it. */
interface Identity {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly sequences: Map<number, number>
}

/** What is used of the client: whom to ask, and connections to them. */
export type ProduceClient = Pick<Client, 'metadata' | 'initIdempotentProducer' | 'connections'>

/** Sequences of a producer begin anew behind this. */
const SEQUENCES = 2 ** 31

/**
 * Sends batches to the partitions of one topic, wherever they are led, until all are acknowledged
 * or it was tried often enough. One call at a time. A batch that is sent again bears the same
 * sequence, by which the broker knows whether it has it.
 */
export class TopicSender {
  private readonly client: ProduceClient
  private readonly topic: string
  private readonly timeoutMs: number
  private identity: Identity | undefined

  constructor(client: ProduceClient, topic: string, timeoutMs: number) {
    this.client = client
    this.topic = topic
    this.timeoutMs = timeoutMs
  }

  /** Fills in where the batches lie. @throws what the last try failed by. */
  async send(batches: readonly Outbound[]): Promise<void> {
    try {
      await this.deliver(batches)
    } catch (error) {
      // Which of them the brokers have is not known: what follows must not depend on it.
      this.identity = undefined
      throw error
    }
  }

  private async deliver(batches: readonly Outbound[]): Promise<void> {
    let waiting = await this.sign(batches)
    let isRenewed = false
    for (let attempt = 0; ;) {
      const failures = await this.attempt(waiting, attempt > 0)
      waiting = waiting.filter(({ to }) => to.baseOffset < 0)
      if (waiting.length === 0) return
      const final = failures.find((failure) => !isForgotten(failure) && !canRetry(failure))
      if (final !== undefined) throw final
      const forgotten = failures.find(isForgotten)
      if (forgotten !== undefined) {
        // The broker has lost what it knew of us, as when all our records are past retention.
        if (isRenewed) throw forgotten
        isRenewed = true
        this.identity = undefined
        waiting = await this.sign(waiting.map(({ to }) => to))
        continue
      }
      if (attempt >= LIMITS.logAppendRetriesMax) throw failures[0]!
      attempt++
      await sleep(Math.min(LIMITS.logRetryMsMin * 2 ** attempt, LIMITS.logRetryMsMax))
    }
  }

  private async sign(batches: readonly Outbound[]): Promise<readonly Signed[]> {
    const identity = (this.identity ??= await this.introduce())
    const { sequences } = identity
    const millis = Date.now()
    return batches.map((one) => {
      const sequence = sequences.get(one.partition) ?? 0
      sequences.set(one.partition, (sequence + one.writer.count) % SEQUENCES)
      return { to: one, batch: one.writer.sign({ ...identity, sequence }, millis) }
    })
  }

  private async introduce(): Promise<Identity> {
    const { producerId, producerEpoch } = await this.client.initIdempotentProducer({})
    return { producerId, producerEpoch, sequences: new Map() }
  }

  /** Tries each leader once; answers what went wrong. */
  private async attempt(waiting: readonly Signed[], isRetry: boolean): Promise<readonly Error[]> {
    const { client, topic } = this
    const failures: Error[] = []
    try {
      // The first broker that is named may be frozen: a second try of the client asks the next.
      const options = { topics: [topic], forceUpdate: isRetry, retries: isRetry ? 1 : 0 }
      const { brokers, topics } = await client.metadata(options)
      const leaderOf = ({ to }: Signed) => topics.get(topic)?.partitions[to.partition]?.leader
      const byLeader = Map.groupBy(waiting, leaderOf)
      await Promise.all(
        [...byLeader].map(async ([leader, batches]) => {
          try {
            const broker = brokers.get(leader ?? -1)
            if (broker === undefined) throw new NetworkError(`no broker leads it (${leader})`)
            await this.sendTo(await client.connections.get(broker), batches, failures)
          } catch (error) {
            failures.push(error as Error)
          }
        }),
      )
    } catch (error) {
      failures.push(error as Error)
    }
    return failures
  }

  private async sendTo(
    connection: Connection,
    batches: readonly Signed[],
    failures: Error[],
  ): Promise<void> {
    const { topic, timeoutMs } = this
    const list = batches.map(({ to, batch }) => ({ partition: to.partition, batch }))
    const answers = await produce(connection, topic, list, timeoutMs)
    for (const { partition, baseOffset, error } of answers) {
      if (error !== undefined) failures.push(error)
      else batches.find(({ to }) => to.partition === partition)!.to.baseOffset = baseOffset
    }
  }
}

function canRetry(failure: Error): boolean {
  return findErrorBy(failure, 'canRetry', false) === null
}

/** The broker knows nothing of this producer, or not what came before. */
function isForgotten(failure: Error): boolean {
  return ['UNKNOWN_PRODUCER_ID', 'OUT_OF_ORDER_SEQUENCE_NUMBER'].some(
    (id) => findErrorBy(failure, 'apiId', id) !== null,
  )
}
