import { setTimeout as sleep } from 'node:timers/promises'
import { Counter, Gauge, type Registry } from 'prom-client'
import { messageOf } from '../kernel/errors.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { Log } from '../log/log.ts'

/**
 * Watches how far a consumer group is behind the log: the records of each partition that the group
 * has not committed yet. One watcher is enough for a fleet, so it is the worker's leased job.
 */
export interface LagWatch {
  /**
   * Watches until the signal aborts; the gauges are empty afterwards, since nobody keeps them true.
   */
  run(log: Log, stop: AbortSignal): Promise<void>
  /** Why the last look failed; undefined where it did not. */
  readonly problem: string | undefined
}

export interface LagWatchOptions {
  readonly group: string
  readonly topic: string
  readonly metrics: Registry
}

/** Records per partition that the group has still to read. */
export async function lagOf(log: Log, group: string, topic: string): Promise<readonly number[]> {
  // Commits are asked for first: they grow meanwhile, and a lag below zero would be nonsense.
  const committed = await log.committed(group, topic)
  const [begin, end] = await Promise.all([log.beginOffsets(topic), log.endOffsets(topic)])
  return end.map((endOffset, partition) => {
    const from = Math.max(committed[partition]?.offset ?? -1, begin[partition] ?? 0)
    return Math.max(0, endOffset - from)
  })
}

export function lagWatch({ group, topic, metrics }: LagWatchOptions): LagWatch {
  const lag = new Gauge({
    name: 'meterloom_consumer_lag_records',
    help: 'Records of a partition that its consumer group has not committed',
    labelNames: ['group', 'topic', 'partition'] as const,
    registers: [metrics],
  })
  const failures = new Counter({
    name: 'meterloom_lag_watch_failures_total',
    help: 'Looks at the consumer lag that failed',
    registers: [metrics],
  })
  let problem: string | undefined = 'the consumer lag was not asked for yet'

  async function look(log: Log): Promise<void> {
    try {
      for (const [partition, records] of (await lagOf(log, group, topic)).entries()) {
        lag.set({ group, topic, partition }, records)
      }
      problem = undefined
    } catch (error) {
      problem = messageOf(error)
      failures.inc()
      lag.reset()
    }
  }

  return {
    get problem() {
      return problem
    },
    async run(log, stop) {
      while (!stop.aborted) {
        await look(log)
        // An abort ends the wait early, and is no error.
        await sleep(LIMITS.lagWatchEveryMs, undefined, { signal: stop }).catch(() => undefined)
      }
      lag.reset()
    },
  }
}
