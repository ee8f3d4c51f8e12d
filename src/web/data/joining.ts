/** Seven minutes: a store that is further behind is told of by the pipeline's page. */
export const JOIN_ATTEMPTS_MAX = 60
const PAUSES_MS = [400, 1_000, 2_000, 4_000, 8_000]

/** How long to wait before REST is asked again: the store is behind the feed by a moment only. */
export const joinPauseMs = (attempt: number) => PAUSES_MS[Math.min(attempt, PAUSES_MS.length - 1)]!

/**
 * Where the live feed and what REST told meet. A thing is in the feed a moment before it is in the
 * store, so the first answer may leave out what came shortly before the feed began. The two are
 * joined when REST tells the first thing of the feed: what the log has before it, the store has by
 * then.
 *
 * Things are known by their times, in the api's form, which sorts as the times do.
 */
export class Joining {
  private firstLive: string | undefined
  private newestTold: string | undefined
  private isJoined = false
  private isBegun = false

  /** The feed begins here, or begins again after a cut that it could not bridge. */
  begin(): void {
    this.firstLive = undefined
    this.isJoined = false
    this.isBegun = true
  }

  /** What the feed told, in its order. */
  heard(times: readonly string[]): void {
    if (this.isBegun) this.firstLive ??= times[0]
  }

  /** What REST told. */
  told(times: readonly string[]): void {
    if (this.firstLive !== undefined && times.includes(this.firstLive)) this.isJoined = true
    for (const time of times) if (time > (this.newestTold ?? '')) this.newestTold = time
  }

  /** Whether nothing is missing between the two. */
  get isOver(): boolean {
    return !this.isBegun || this.isJoined
  }

  /**
   * From when on REST must be asked again: from the newest that it told, or from the first of the
   * feed where that one was late; undefined: it need not be asked.
   */
  get askFrom(): string | undefined {
    const { firstLive, newestTold } = this
    if (this.isOver || firstLive === undefined) return undefined
    return newestTold !== undefined && newestTold < firstLive ? newestTold : firstLive
  }
}
