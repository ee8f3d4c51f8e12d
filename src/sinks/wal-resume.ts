import { LIMITS } from '../kernel/limits.ts'

/** What is known of a table that is, or was of late, suspended. */
interface Suspended {
  /** The next try, and the pause after it. */
  atMs: number
  pauseMs: number
  /** Since when it is seen to be at work again; undefined while it is suspended. */
  workingSinceMs: number | undefined
}

/**
 * When to say RESUME WAL for a table that QuestDB has suspended. Nothing is lost by it: the
 * transaction that failed is tried again, and where its cause is not mended the table is suspended
 * as before. So each try comes later, until the table has worked for longer than a pause may be.
 */
export class ResumePlan {
  private readonly tables = new Map<string, Suspended>()
  private readonly pauseMsMin: number
  private readonly pauseMsMax: number

  constructor({
    pauseMsMin = LIMITS.walResumeMsMin,
    pauseMsMax = LIMITS.walResumeMsMax,
  }: { readonly pauseMsMin?: number; readonly pauseMsMax?: number } = {}) {
    this.pauseMsMin = pauseMsMin
    this.pauseMsMax = pauseMsMax
  }

  /** A look at a table. Answers whether it is to be resumed now. */
  isDue(table: string, isSuspended: boolean, nowMs: number): boolean {
    const known = this.tables.get(table)
    if (!isSuspended) {
      if (known === undefined) return false
      known.workingSinceMs ??= nowMs
      if (nowMs - known.workingSinceMs > this.pauseMsMax) this.tables.delete(table)
      return false
    }
    if (known === undefined) {
      const pauseMs = this.pauseMsMin
      this.tables.set(table, { atMs: nowMs + pauseMs, pauseMs, workingSinceMs: undefined })
      return false
    }
    known.workingSinceMs = undefined
    if (nowMs < known.atMs) return false
    known.pauseMs = Math.min(2 * known.pauseMs, this.pauseMsMax)
    known.atMs = nowMs + known.pauseMs
    return true
  }
}
