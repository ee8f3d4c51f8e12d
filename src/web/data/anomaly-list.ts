import type { AnomalyItem } from '../../api/contract/items.ts'
import { Revisions, identityOf } from '../chart/revisions.ts'

/** Anomalies as they are listed: the newest window first, each once, in its highest revision. */
export class AnomalyList {
  private readonly revisions = new Revisions<AnomalyItem>()

  /** Answers how many of them were not listed before. */
  add(items: readonly AnomalyItem[]): number {
    const before = this.revisions.size
    this.revisions.add(items)
    return this.revisions.size - before
  }

  /** Keeps the newest alone. */
  trim(most: number): void {
    if (this.revisions.size <= 2 * most) return
    const kept = this.newestFirst().slice(0, most)
    this.revisions.clear()
    this.revisions.add(kept)
  }

  newestFirst(): readonly AnomalyItem[] {
    return this.revisions.items.toReversed()
  }
}

export interface AnomalyFilter {
  readonly kind: string
  readonly severity: string
  readonly meterId: string
}

/** What the feed cannot be asked to leave out. */
export function fits(item: AnomalyItem, { kind, severity, meterId }: AnomalyFilter): boolean {
  if (kind !== '' && item.kind !== kind) return false
  if (severity !== '' && item.severity !== severity) return false
  return meterId === '' || item.meterId === meterId
}

export const anomalyKey = (item: AnomalyItem) => identityOf(item)

const AROUND_MS = 3 * 3_600_000

/** The meter's page at the time of the anomaly. */
export function anomalyHref({ meterId, channel, start, end }: AnomalyItem, nowMs: number): string {
  const from = Date.parse(start) - AROUND_MS
  const to = Math.min(Date.parse(end) + AROUND_MS, Math.max(nowMs, Date.parse(end)))
  const query = new URLSearchParams({
    ...(channel === '*' ? {} : { channel }),
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
  })
  return `/meters/${encodeURIComponent(meterId)}?${query}`
}
