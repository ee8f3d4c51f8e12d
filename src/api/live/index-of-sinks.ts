import { meterKey } from '../../kernel/ids.ts'
import type { LiveItem } from './item.ts'
import type { Sink } from './sinks.ts'

/** Finds the sinks that an item fits without asking those of other meters. */
export class SinkIndex {
  private readonly byMeter = new Map<string, Set<Sink>>()
  private readonly broad = new Set<Sink>()

  add(sink: Sink): void {
    const { meterKeys } = sink.filter
    if (meterKeys === undefined) this.broad.add(sink)
    for (const key of meterKeys ?? []) {
      const sinks = this.byMeter.get(key)
      if (sinks === undefined) this.byMeter.set(key, new Set([sink]))
      else sinks.add(sink)
    }
  }

  delete(sink: Sink): void {
    this.broad.delete(sink)
    for (const key of sink.filter.meterKeys ?? []) {
      const sinks = this.byMeter.get(key)
      sinks?.delete(sink)
      if (sinks?.size === 0) this.byMeter.delete(key)
    }
  }

  /** Offers the item to those that it fits, and marks them. */
  offer(item: LiveItem, offered: Set<Sink>): void {
    const own = this.byMeter.get(meterKey(item.tenant, item.meterId))
    if (own !== undefined) this.offerTo(own, item, offered)
    if (this.broad.size > 0) this.offerTo(this.broad, item, offered)
  }

  private offerTo(sinks: ReadonlySet<Sink>, item: LiveItem, offered: Set<Sink>): void {
    for (const sink of sinks) {
      if (!sink.filter.fits(item)) continue
      sink.offer(item)
      offered.add(sink)
    }
  }
}
