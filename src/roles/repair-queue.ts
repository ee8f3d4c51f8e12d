import { LIMITS } from '../kernel/limits.ts'
import { days } from '../kernel/time.ts'
import type { RepairRequest } from '../schemas/records.ts'

/** Late samples of one meter and day (UTC) that are to be repaired together. */
export interface QueuedRepair {
  readonly tenant: string
  readonly meterId: string
  readonly partition: number
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
    const { tenant, meterId, from, to, partition, offset } = request
    const key = `${tenant}/${meterId}/${Math.floor(from / DAY)}`
    const known = this.waiting.get(key)
    if (known !== undefined) {
      known.from = Math.min(known.from, from)
      known.to = Math.max(known.to, to)
      known.offset = Math.max(known.offset, offset)
      return true
    }
    const times = { queuedMs: nowMs, notBeforeMs: nowMs }
    const queue = { queuePartition: place.partition, queueOffset: place.offset }
    this.waiting.set(key, { tenant, meterId, from, to, partition, offset, ...queue, ...times })
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
