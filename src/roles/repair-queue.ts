import { LIMITS } from '../kernel/limits.ts'
import { days } from '../kernel/time.ts'
import type { RepairRequest } from '../schemas/records.ts'

/** Late samples of one meter and day (UTC) that are to be repaired together; or one window. */
export interface QueuedRepair {
  readonly tenant: string
  readonly meterId: string
  readonly partition: number
  /** Both null where it is about samples. */
  readonly channel: string | null
  readonly width: string | null
  from: number
  to: number
  /** The last reading that brought one. */
  offset: number
  /** Where its first request lies in the topic of requests: until it is done, that is not. */
  readonly queuePartition: number
  readonly queueOffset: number
  readonly queuedMs: number
  notBeforeMs: number
}

const DAY = days(1)
const MINUTE_MS = 60_000

/** What waits to be repaired, by meter and day; and how many a tenant may still have. */
export class RepairQueue {
  private readonly waiting = new Map<string, QueuedRepair>()
  private readonly spent = new Map<string, { minute: number; count: number }>()

  /** Answers whether the request joins one that waits already. */
  add(
    request: RepairRequest,
    place: { partition: number; offset: number },
    nowMs: number,
  ): boolean {
    const { tenant, meterId, from, to, partition, offset, channel, width } = request
    const what = width === null ? Math.floor(from / DAY) : `${channel}/${width}/${from}`
    const key = `${tenant}/${meterId}/${what}`
    const known = this.waiting.get(key)
    if (known !== undefined) {
      known.from = Math.min(known.from, from)
      known.to = Math.max(known.to, to)
      known.offset = Math.max(known.offset, offset)
      return true
    }
    const times = { queuedMs: nowMs, notBeforeMs: nowMs }
    const queue = { queuePartition: place.partition, queueOffset: place.offset }
    const asked = { tenant, meterId, from, to, partition, offset, channel, width }
    this.waiting.set(key, { ...asked, ...queue, ...times })
    return false
  }

  get size(): number {
    return this.waiting.size
  }

  /** Those whose time has come, the oldest first. */
  due(nowMs: number): readonly QueuedRepair[] {
    return [...this.waiting.values()].filter(({ notBeforeMs }) => notBeforeMs <= nowMs)
  }

  done(repair: QueuedRepair): void {
    for (const [key, one] of this.waiting) if (one === repair) this.waiting.delete(key)
  }

  /** The requests of these partitions are somebody else's. */
  drop(partitions: ReadonlySet<number>): void {
    for (const [key, { queuePartition }] of this.waiting) {
      if (partitions.has(queuePartition)) this.waiting.delete(key)
    }
  }

  /** All requests of a partition below this offset are done. */
  doneUpTo(partition: number, next: number): number {
    let least = next
    for (const { queuePartition, queueOffset } of this.waiting.values()) {
      if (queuePartition === partition) least = Math.min(least, queueOffset)
    }
    return least
  }

  /** Whether the tenant may have one more repair in this minute; counts it. */
  mayRun(tenant: string, nowMs: number): boolean {
    const minute = Math.floor(nowMs / MINUTE_MS)
    const known = this.spent.get(tenant)
    const count = known?.minute === minute ? known.count : 0
    if (count >= LIMITS.repairsPerTenantMinute) return false
    this.spent.set(tenant, { minute, count: count + 1 })
    return true
  }
}
