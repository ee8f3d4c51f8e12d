import type { Logger } from 'pino'
import { messageOf } from '../../kernel/errors.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { timeLimit } from '../../kernel/time.ts'
import type { Scheduler } from '../../kernel/time.ts'
import type { Log, Producer } from '../../log/log.ts'
import { engineErrors } from '../errors.ts'
import type { Lane } from '../lane.ts'
import type { Pipeline } from '../pipeline.ts'
import type { Cadence } from './cadence.ts'
import { FORMAT, encodeManifest, nodesOf } from './manifest.ts'
import type { Manifest } from './manifest.ts'
import { pointersOf } from './pointer.ts'
import type { SnapshotMetrics } from './snapshot-metrics.ts'
import { FrozenState, append } from './writer.ts'

export interface SnapshotsOptions {
  readonly log: Log
  readonly producer: Producer
  /** The topic of snapshots, and that of the readings. */
  readonly topic: string
  readonly input: string
  readonly epoch: number
  readonly pipeline: Pipeline
  /** This process's name in keys and manifests. */
  readonly member: string
  readonly scheduler: Scheduler
  readonly cadence: Cadence
  readonly metrics: SnapshotMetrics
  readonly lanes: () => Iterable<Lane>
  /** A snapshot is whole: the next commit should name it. */
  readonly onWhole: () => void
  readonly logger?: Logger
}

const backlogOf = ({ task, history }: Lane) => task.nextOffset - history.offset

/**
 * Takes snapshots of the lanes of this process, one at a time, while they go on. A snapshot is of
 * use once a commit at or above its offset names it.
 */
export class Snapshots {
  private readonly options: SnapshotsOptions
  private running: Promise<void> | undefined
  private isLast = false

  constructor(options: SnapshotsOptions) {
    this.options = options
  }

  /** Some records more have been taken in. */
  consider(): void {
    // Two of one lane at a time would each hold a part of what has changed.
    if (this.running !== undefined || this.isLast) return
    const lanes = [...this.options.lanes()].filter(({ lost }) => !lost)
    const backlog = lanes.reduce((sum, lane) => sum + backlogOf(lane), 0)
    if (backlog <= 0 || !this.options.cadence.isDue(backlog)) return
    const lane = lanes.reduce((most, one) => (backlogOf(one) > backlogOf(most) ? one : most))
    this.running = this.take(lane).finally(() => {
      this.running = undefined
    })
  }

  /**
   * The last ones, of a process that takes in no more: of every lane that has anything new, for at
   * most `limitMs`. What is late is of no use to anybody, and does no harm.
   */
  async last(limitMs: number): Promise<void> {
    const { scheduler, lanes } = this.options
    const limit = timeLimit(scheduler, limitMs)
    this.isLast = true
    const all = async () => {
      await this.running
      for (const lane of lanes()) {
        if (!limit.isOver && !lane.lost && backlogOf(lane) > 0) await this.take(lane)
      }
    }
    await Promise.race([all(), limit.passed])
    limit.end()
  }

  private async take(lane: Lane): Promise<void> {
    const { scheduler, cadence, metrics, logger, onWhole } = this.options
    const { task, history, owned } = lane
    const beganMs = scheduler.monotonicMillis()
    const isBase = history.wantsBase
    const offset = task.nextOffset
    const frozen = new FrozenState(task.state, isBase)
    const freezeMs = scheduler.monotonicMillis() - beganMs
    let bytes = 0
    try {
      const write = this.target(lane, offset)
      const chunks = await frozen.write(write)
      bytes = chunks.reduce((sum, chunk) => sum + chunk.bytes, 0)
      const generation = history.with(chunks, isBase)
      const manifest = this.manifest(lane, offset, generation)
      const key = Buffer.from(`${write.key}/manifest`)
      history.add(generation, await append(write, key, encodeManifest(manifest)), offset)
      metrics.taken(lane.task, { bytes, millis: scheduler.monotonicMillis() - beganMs, isBase })
      onWhole()
    } catch (error) {
      frozen.giveUp()
      metrics.failed()
      if (!lane.lost) logger?.warn({ partition: owned.partition }, messageOf(error))
    }
    metrics.held(Math.max(freezeMs, frozen.heldMsMax))
    cadence.took(bytes, freezeMs + frozen.workMs)
  }

  private target(lane: Lane, offset: number) {
    const { producer, topic, scheduler, member } = this.options
    const { partition, generation } = lane.owned
    const key = `${member}/${generation}/${offset}`
    return { producer, topic, partition, scheduler, key, holds: () => !lane.lost }
  }

  private manifest(
    { task, owned: { partition, generation } }: Lane,
    offset: number,
    chunks: Pick<Manifest, 'chunks' | 'baseChunks'>,
  ): Manifest {
    const { member, input, epoch, pipeline } = this.options
    const writer = `${member}/${generation}`
    const nodes = nodesOf(pipeline, task.state)
    if (chunks.chunks.length > LIMITS.snapshotChunksMax) {
      throw engineErrors.snapshotBroken({ partition, why: `${chunks.chunks.length} chunks` })
    }
    return { format: FORMAT, writer, input, partition, epoch, offset, nodes, ...chunks }
  }

  /** A commit names the lane's snapshots now: what is older than they need is freed. */
  named(lane: Lane): void {
    const { log, topic, logger } = this.options
    const { partition } = lane.owned
    const below = lane.history.named(pointersOf(lane.named))
    if (below === undefined) return
    log.deleteRecords(topic, partition, below).catch((error: unknown) => {
      logger?.warn({ partition }, `old snapshots are not freed: ${messageOf(error)}`)
    })
  }
}
