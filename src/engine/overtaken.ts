import type { Logger } from 'pino'
import type { Log, RecordBatch } from '../log/log.ts'
import type { EngineMetrics } from './engine-metrics.ts'

interface OvertakenOptions {
  readonly log: Log
  readonly input: string
  readonly logger?: Logger
}

/** Where a partition is, as it comes to a process. */
export interface Arrival {
  /** The first offset that the log still has. */
  readonly begin: number
  /** -1 where nothing was ever committed. */
  readonly committed: number
  /** The offset of the snapshot that the state was made from; 0 where there was none. */
  readonly snapshot: number
}

/**
 * Tells of what retention has taken out of the log before it was computed: of a processor that was
 * away for longer than the log keeps its records, or that is slower than they come.
 */
export class Overtaken {
  private readonly options: OvertakenOptions
  private readonly metrics: EngineMetrics

  constructor(options: OvertakenOptions, metrics: EngineMetrics) {
    this.options = options
    this.metrics = metrics
  }

  arrived(partition: number, { begin, committed, snapshot }: Arrival): void {
    // Who never committed has missed nothing, and state of no snapshot begins where the log does.
    const unread = committed < 0 ? 0 : Math.max(0, begin - committed)
    const forgotten = snapshot === 0 ? 0 : Math.max(0, Math.min(begin, committed) - snapshot)
    if (forgotten > 0) {
      const why =
        `their rows are out, but the state that goes on from the snapshot of ${snapshot} ` +
        'does not know of them: BACKFILL=true makes all state anew from what is left'
      this.tell('state', partition, { begin, from: snapshot, missing: forgotten, why })
    }
    if (unread > 0) this.lost(partition, committed, begin)
  }

  /** A batch comes to a task that is at `next`. */
  async took(batch: RecordBatch, next: number): Promise<void> {
    // Offsets may have gaps of other reasons: the log is asked.
    if (batch.count === 0 || batch.offsets[0]! <= next) return
    const { log, input } = this.options
    const begins = await log.beginOffsets(input).catch(() => [])
    const begin = Math.min(begins[batch.partition] ?? 0, batch.offsets[0]!)
    if (begin > next) this.lost(batch.partition, next, begin)
  }

  private lost(partition: number, from: number, begin: number): void {
    const why =
      'retention has taken them before they were computed, and no row tells of them: keep the ' +
      'log for longer than a processor may be away (RETENTION_BYTES, retention.ms), and send ' +
      'their readings again'
    this.tell('rows', partition, { begin, from, missing: begin - from, why })
  }

  private tell(
    kind: 'rows' | 'state',
    partition: number,
    { begin, from, missing, why }: { begin: number; from: number; missing: number; why: string },
  ): void {
    const { input: topic, logger } = this.options
    this.metrics.overtaken(kind, missing)
    logger?.warn(
      { topic, partition, begin, from, missing },
      `partition ${partition} of ${topic} begins at ${begin}: ${missing} records from ${from} on ` +
        `are gone; ${why}`,
    )
  }
}
