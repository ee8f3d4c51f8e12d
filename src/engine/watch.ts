import { LIMITS } from '../kernel/limits.ts'
import type { Scheduler } from '../kernel/time.ts'
import type { Log } from '../log/log.ts'
import { engineErrors } from './errors.ts'
import type { Lane } from './lane.ts'

export interface WatchOptions {
  readonly log: Log
  readonly input: string
  /** Of the input topic, as it was when the runtime began. */
  readonly partitions: number
  readonly scheduler: Scheduler
  readonly lanes: () => ReadonlyMap<number, Lane>
  /** Partitions whose state is being made anew: they may take their time. */
  readonly restoring: () => number
  /** Why a sink takes nothing; then it is the sink that is waited for. */
  readonly away: () => readonly string[]
  readonly everyMs: number
  /** Aborts when the runtime stops. */
  readonly stop: AbortSignal
  readonly onFailed: (error: unknown) => void
}

/**
 * Looks from time to time whether the engine gets on, and whether its input is what it was. An
 * engine that stands still though there is work, its log answers and no sink says that it is away
 * has met a mistake that nobody foresaw: a new process may do better.
 *
 * Fails with engine.standsStill, engine.partitionsChanged.
 */
export async function watch(options: WatchOptions): Promise<void> {
  const { scheduler, stop, everyMs } = options
  const progress = new Progress(scheduler)
  const isOver = () => stop.aborted
  while (!isOver()) {
    await scheduler.sleep(everyMs, stop)
    const problem = isOver() ? undefined : await look(options, progress)
    if (problem === undefined || isOver()) continue
    options.onFailed(problem)
    return
  }
}

async function look(options: WatchOptions, progress: Progress): Promise<Error | undefined> {
  const { log, input, partitions: before } = options
  try {
    const found = await log.partitionCount(input)
    if (found !== before) return engineErrors.partitionsChanged({ topic: input, before, found })
    const ends = await log.endOffsets(input)
    return standstill(options, progress, ends)
  } catch {
    // The log is away: nobody gets on, and no new process would.
    progress.reset()
    return undefined
  }
}

function standstill(
  { lanes, restoring, away }: WatchOptions,
  progress: Progress,
  ends: readonly number[],
): Error | undefined {
  const all = [...lanes()]
  const lag = all.reduce((sum, [partition, { committed }]) => {
    return sum + Math.max(0, (ends[partition] ?? 0) - committed)
  }, 0)
  const seen = all.map(
    ([partition, { processed, flushed, committed }]) =>
      `${partition}: taken in ${processed}, sent ${flushed}, committed ${committed}, ` +
      `end ${ends[partition] ?? 0}`,
  )
  const waits = lag === 0 || restoring() > 0 || away().length > 0
  const sinceMs = progress.look(waits ? undefined : all.map(([, lane]) => lane.committed).join())
  if (sinceMs < LIMITS.engineStuckMs) return undefined
  const seconds = Math.round(sinceMs / 1_000)
  return engineErrors.standsStill({ seconds, lag, seen: seen.join('; ') })
}

/** For how long the engine has been where it is. */
class Progress {
  private readonly scheduler: Scheduler
  private place: string | undefined
  private sinceMs: number

  constructor(scheduler: Scheduler) {
    this.scheduler = scheduler
    this.sinceMs = scheduler.monotonicMillis()
  }

  reset(): void {
    this.look(undefined)
  }

  /** Milliseconds at `place`; none where it is undefined: then nothing is to be expected. */
  look(place: string | undefined): number {
    const nowMs = this.scheduler.monotonicMillis()
    if (place === undefined || place !== this.place) this.sinceMs = nowMs
    this.place = place
    return nowMs - this.sinceMs
  }
}
