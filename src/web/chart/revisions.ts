/** What the api restates: windows, baselines and anomalies. */
export interface Revised {
  readonly meterId: string
  readonly channel: string
  readonly width: string
  readonly start: string
  readonly kind?: string
  readonly revision: number
}

/** What makes two of them the same thing. */
export function identityOf({ meterId, channel, width, start, kind = '' }: Revised): string {
  return JSON.stringify([start, meterId, channel, width, kind])
}

/** Each once, in its highest revision, whichever way and in whatever order they came. */
export class Revisions<T extends Revised> {
  private readonly byIdentity = new Map<string, T>()
  private sorted: T[] | undefined

  get size(): number {
    return this.byIdentity.size
  }

  /** By start, then by their other names. */
  get items(): readonly T[] {
    this.sorted ??= [...this.byIdentity]
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([, item]) => item)
    return this.sorted
  }

  /** Answers how many were new or restated what was there. */
  add(items: readonly T[]): number {
    let changed = 0
    for (const item of items) {
      const identity = identityOf(item)
      const there = this.byIdentity.get(identity)
      if (there !== undefined && there.revision >= item.revision) continue
      this.byIdentity.set(identity, item)
      changed++
    }
    if (changed > 0) this.sorted = undefined
    return changed
  }

  clear(): void {
    this.byIdentity.clear()
    this.sorted = undefined
  }
}
