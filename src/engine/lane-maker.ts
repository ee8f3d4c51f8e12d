import type { Scheduler } from '../kernel/time.ts'
import type { CommittedOffset, Log, OwnedPartition } from '../log/log.ts'
import type { Topics } from '../log/topics.ts'
import type { Registry } from '../registry/registry.ts'
import type { Codecs } from '../schemas/codecs.ts'
import type { Lane } from './lane.ts'
import type { Overtaken } from './overtaken.ts'
import type { Pipeline } from './pipeline.ts'
import { makeTask } from './rekey/make-task.ts'
import { filtersOf } from './resume.ts'
import { Outputs } from './rows.ts'
import type { Keeping } from './snapshot/keeping.ts'
import type { TableFeed } from './tables/table-feed.ts'

export interface LaneMakerOptions {
  readonly log: Log
  readonly pipeline: Pipeline
  readonly epoch: number
  readonly registry: Registry
  readonly codecs: Codecs
  readonly topics: Topics
  /** Hours of append time after which a series that says nothing is forgotten. */
  readonly retentionHours?: number
}

interface Parts {
  readonly keeping: Keeping
  readonly feed: TableFeed
  readonly overtaken: Overtaken
  readonly scheduler: Scheduler
}

/** Makes lanes of partitions that this process did not have, from their snapshots and the log. */
export class LaneMaker {
  private readonly options: LaneMakerOptions
  private readonly parts: Parts

  constructor(options: LaneMakerOptions, parts: Parts) {
    this.options = options
    this.parts = parts
  }

  /**
   * @param begins By partition: the first offset that the log still has.
   * @param partitions Of the input topic.
   */
  async make(
    owned: OwnedPartition,
    committed: CommittedOffset,
    { begins, partitions }: { readonly begins: readonly number[]; readonly partitions: number },
    signal: AbortSignal,
  ): Promise<Lane> {
    const { log, pipeline, epoch, registry, codecs, topics, retentionHours } = this.options
    const { keeping, feed, scheduler } = this.parts
    const { partition } = owned
    const make = () => {
      const outputs = new Outputs()
      outputs.takenMillis = scheduler.monotonicMillis()
      const given = { pipeline, partition, partitions, epoch, registry, codecs, topics, outputs }
      const task = makeTask({ ...given, feed, ...(retentionHours && { retentionHours }) })
      return { task, outputs }
    }
    const offset = Math.max(0, committed.offset)
    const beganMs = scheduler.monotonicMillis()
    const source = { epoch, partition, committed: offset, partitions }
    const [filters, restored] = await Promise.all([
      filtersOf(log, pipeline, topics, source),
      keeping.restorer.restore(make, partition, { ...committed, offset }, signal),
    ])
    restored.outputs.resume(filters)
    const { task, outputs, history } = restored
    const begin = begins[partition] ?? 0
    const arrival = { begin, committed: committed.offset, snapshot: history.offset }
    this.parts.overtaken.arrived(partition, arrival)
    // What the log has no more is not waited for: it is committed with what comes next.
    task.nextOffset = Math.max(task.nextOffset, begin)
    keeping.metrics.restored(task, scheduler.monotonicMillis() - beganMs)
    const place = { processed: task.nextOffset, flushed: offset, committed: offset }
    const sent = { unsent: undefined, rewriteAtMs: Infinity, named: committed.metadata }
    return { task, outputs, history, owned, ...place, ...sent, lost: false }
  }
}
