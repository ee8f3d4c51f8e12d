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
