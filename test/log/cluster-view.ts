import {
  alterPartitionReassignmentsV0,
  Connection,
  findCoordinatorV4,
  metadataV12,
} from '@platformatic/kafka'
import { setTimeout as sleep } from 'node:timers/promises'

const TIMEOUT_MS = 5_000
const MOVED_MS_MAX = 30_000
const LOOK_MS = 50
const GROUP_KEYS = 0

/** Who leads what in a cluster, and the means to change it. */
export class ClusterView {
  private readonly brokers: readonly string[]

  constructor(kafkaBrokers: string) {
    this.brokers = kafkaBrokers.split(',')
  }

  /** Asks the first broker that answers. */
  private async ask<T>(run: (connection: Connection) => Promise<T>): Promise<T> {
    let failure: unknown
    for (const broker of this.brokers) {
      const [host = '', port] = broker.split(':')
      const options = { connectTimeout: TIMEOUT_MS, requestTimeout: TIMEOUT_MS }
      const connection = new Connection('cluster-view', options)
      connection.on('error', () => undefined)
      try {
        await connection.connect(host, Number(port))
        return await run(connection)
      } catch (error) {
        failure = error
      } finally {
        await connection.close().catch(() => undefined)
      }
    }
    throw failure as Error
  }

  private async partitions(topic: string) {
    const { topics } = await this.ask((one) => metadataV12.api.async(one, [topic], false, false))
    return topics[0]!.partitions.toSorted((a, b) => a.partitionIndex - b.partitionIndex)
  }

  /** By partition: the node that leads it; -1 for none. */
  async leaders(topic: string): Promise<readonly number[]> {
    return (await this.partitions(topic)).map(({ leaderId }) => leaderId)
  }

  /** The least number of copies in step of any partition. */
  async inSync(topic: string): Promise<number> {
    return Math.min(...(await this.partitions(topic)).map(({ isrNodes }) => isrNodes.length))
  }

  /** The node that coordinates a group. */
  async coordinator(group: string): Promise<number> {
    const { coordinators } = await this.ask((one) =>
      findCoordinatorV4.api.async(one, GROUP_KEYS, [group]),
    )
    return coordinators[0]!.nodeId
  }

  /** Takes the copy of each leader away, so that another one leads, and gives it back. */
  async moveLeaders(topic: string): Promise<void> {
    const before = await this.partitions(topic)
    type Partition = (typeof before)[number]
    const reassign = (replicasOf: (one: Partition) => number[]) => {
      const partitions = before.map((one) => ({
        partitionIndex: one.partitionIndex,
        replicas: replicasOf(one),
      }))
      return this.ask((connection) =>
        alterPartitionReassignmentsV0.api.async(connection, TIMEOUT_MS, false, [
          { name: topic, partitions },
        ]),
      )
    }
    const others = ({ replicaNodes, leaderId }: Partition) =>
      replicaNodes.filter((node) => node !== leaderId)
    await reassign(others)
    const deadlineMs = performance.now() + MOVED_MS_MAX
    for (;;) {
      const now = await this.leaders(topic)
      if (now.every((leader, p) => leader >= 0 && leader !== before[p]!.leaderId)) break
      if (performance.now() > deadlineMs) throw new Error(`leaders are still ${now.join()}`)
      await sleep(LOOK_MS)
    }
    await reassign((one) => [...others(one), one.leaderId])
  }
}
