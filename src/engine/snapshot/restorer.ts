import type { Logger } from 'pino'
import { hasCode, messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../log/log.ts'
import type { Pipeline } from '../pipeline.ts'
import type { LogReplay } from '../restore.ts'
import type { Outputs } from '../rows.ts'
import type { StreamTask } from '../stream-task.ts'
import { SnapshotHistory } from './history.ts'
import { pointersOf } from './pointer.ts'
import { readSnapshot } from './reader.ts'

/** A task that has seen nothing yet. */
export interface Fresh {
  readonly task: StreamTask
  readonly outputs: Outputs
}

export interface Restored extends Fresh {
  readonly history: SnapshotHistory
}

export interface RestorerOptions {
  readonly log: Log
  /** The topic of snapshots, and that of the readings. */
  readonly topic: string
  readonly input: string
  readonly epoch: number
  readonly pipeline: Pipeline
  readonly replay: LogReplay
  /** Computes all retained input again, whatever snapshots there are. */
  readonly backfill: boolean
  /** Nodes that begin without their past. */
  readonly dropped: ReadonlySet<string>
  readonly logger?: Logger
}

/**
 * Makes a partition's state anew: from the newest snapshot that is whole, then by what came after
 * it, silently. Where none is whole, from all of the retained log.
 */
export class Restorer {
  private readonly options: RestorerOptions

  constructor(options: RestorerOptions) {
    this.options = options
  }

  /**
   * @param upTo The offset that is committed, and what was attached to that commit.
   * @returns Before it is done where `signal` is aborted.
   * @throws engine.topologyChanged
   */
  async restore(
    make: () => Fresh,
    partition: number,
    upTo: { readonly offset: number; readonly metadata: string },
    signal: AbortSignal,
  ): Promise<Restored> {
    const { replay, backfill, logger } = this.options
    const pointers = backfill ? [] : pointersOf(upTo.metadata)
    for (const [i, pointer] of pointers.entries()) {
      const fresh = make()
      try {
        const read = { ...this.options, partition, upTo: upTo.offset, signal }
        const manifest = await readSnapshot(read, pointer, fresh.task.state)
        await replay.run(fresh.task, partition, upTo.offset, signal)
        const history = new SnapshotHistory(manifest, pointers.slice(i), manifest.offset)
        return { ...fresh, history }
      } catch (error) {
        if (signal.aborted) break
        if (!hasCode(error, 'engine.snapshotBroken')) throw error
        logger?.warn({ partition, manifest: pointer.manifest }, messageOf(error))
      }
    }
    if (pointers.length > 0 && !signal.aborted) {
      logger?.warn({ partition }, 'no snapshot is whole: all of the retained log is computed again')
    }
    const fresh = make()
    await replay.run(fresh.task, partition, upTo.offset, signal)
    return { ...fresh, history: new SnapshotHistory() }
  }
}
