import type { ReadingItem } from '../../api/contract/items.ts'

/**
 * Where the live feed and what REST told meet. A reading is in the feed a moment before it is in
 * the store, so the first question may leave out what came shortly before the feed began. The two
 * are joined when REST tells the first reading of the feed: what the log has before it, the store
 * has by then.
 */
export class Joining {
  private firstLive: string | undefined
  private isJoined = false
  private isBegun = false

  /** The feed begins here, or begins again after a cut that it could not bridge. */
  begin(): void {
    this.firstLive = undefined
    this.isJoined = false
    this.isBegun = true
  }

  /** Readings of the series that the feed told. */
  heard(items: readonly ReadingItem[]): void {
    if (this.isBegun) this.firstLive ??= items[0]?.at
  }

  /** Readings of the series that REST told. */
  told(items: readonly ReadingItem[]): void {
    if (this.firstLive !== undefined && items.some(({ at }) => at === this.firstLive)) {
      this.isJoined = true
    }
  }

  /** Whether nothing is missing between the two. */
  get isOver(): boolean {
    return !this.isBegun || this.isJoined
  }

  /** Whether REST must be asked again, and from when at the latest; undefined: it need not. */
  get askFrom(): string | undefined {
    return this.isBegun && !this.isJoined ? this.firstLive : undefined
  }
}
