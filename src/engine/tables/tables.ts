import type { Micros } from '../../kernel/time.ts'
import { tableTopic } from '../../log/topics.ts'
import type { ControlRecord } from '../../schemas/records.ts'
import type { TaskCounts } from '../counts.ts'
import type { Ingest } from '../ingest.ts'
import type { LookupNode, SeriesItem } from '../nodes.ts'
import type { SeriesTable } from '../series.ts'
import type { TaskOptions } from '../task-options.ts'
import type { Cause, Emit } from '../windows.ts'
import type { LookupTableNode, TableChange } from './nodes.ts'
import type { TableView } from './table-view.ts'

/** A lookup at work. */
export interface Lookup {
  readonly node: LookupNode
  readonly keyOf: (item: SeriesItem) => string
  /** What the node does with an item of its input. */
  readonly take: Emit<never>
}

export interface TablesOptions {
  readonly options: TaskOptions
  readonly table: SeriesTable
  readonly ingest: Ingest
  readonly cause: Cause
  readonly counts: TaskCounts
  readonly views: ReadonlyMap<LookupTableNode, TableView>
  readonly lookups: readonly Lookup[]
}

/** The lookup tables of a task: moves them on, and looks anew where a date was corrected. */
export class Tables {
  private readonly options: TablesOptions
  private readonly byTopic = new Map<string, [LookupTableNode, TableView][]>()

  constructor(options: TablesOptions) {
    this.options = options
    for (const entry of options.views) {
      const topic = tableTopic(options.options.topics, entry[0].table.topic)
      this.byTopic.set(topic, [...(this.byTopic.get(topic) ?? []), entry])
    }
  }

  /** The offset that the views of a topic have come to; undefined where nobody looks at it. */
  offsetOf(topic: string): number | undefined {
    const views = this.byTopic.get(topic)
    return views && Math.min(...views.map(([, view]) => view.offset))
  }

  /** Fetches what an advance will need. */
  async prepare({ table, offset }: ControlRecord): Promise<void> {
    if (table === null || offset === null || !this.byTopic.has(table)) return
    await this.options.options.feed?.upTo(table, offset)
  }

  advance({ table, offset }: ControlRecord): void {
    const { feed } = this.options.options
    const views = table === null ? undefined : this.byTopic.get(table)
    if (table === null || offset === null || views === undefined || feed === undefined) return
    this.options.counts.advances++
    const records = feed.records(table)
    for (const [node, view] of views) {
      const changes = view.advance(records, offset, this.options.cause.revision)
      if (node.table.mode === 'from-now' || changes.length === 0) continue
      for (const lookup of this.options.lookups) {
        if (lookup.node.table === node) this.lookAnew(lookup, changes)
      }
    }
  }

  /**
   * Windows that are closed and can still change are looked up again where a row of theirs is
   * another one: meter by meter in the order of their keys, in a meter by channel and start. One
   * that waits to be restated meets the row then.
   */
  private lookAnew(lookup: Lookup, changes: readonly TableChange[]): void {
    const { table, ingest } = this.options
    const width = ingest.widths.findIndex(({ node }) => node === lookup.node.input)
    if (width < 0) return
    const byKey = Map.groupBy(changes, ({ key }) => key)
    const due: { slot: number; meter: number; ranges: readonly TableChange[] }[] = []
    const { next } = table.series.columns
    for (let meter = 0; meter < table.meterCount; meter++) {
      let slot = table.meters.columns.first.get(meter)
      for (; slot >= 0; slot = next.get(slot)) {
        const ranges = byKey.get(lookup.keyOf(this.itemOf(meter, slot)))
        if (ranges !== undefined) due.push({ slot, meter, ranges })
      }
    }
    // The sort is stable: the series of a meter hang together in the order of their channels.
    due.sort((a, b) => table.meterKeys.compare(a.meter, b.meter))
    for (const { slot, meter, ranges } of due) this.lookAnewAt(lookup, width, slot, meter, ranges)
  }

  private lookAnewAt(
    lookup: Lookup,
    width: number,
    slot: number,
    meter: number,
    ranges: readonly TableChange[],
  ): void {
    const { table, ingest, cause, counts } = this.options
    const state = ingest.widths[width]!
    const isTouched = (start: Micros) => ranges.some(({ from, to }) => from <= start && start < to)
    const closed = Math.max(table.watermarkOf(meter), ingest.closing?.closedTo(slot, width) ?? 0)
    const course = ingest.courseOf(slot)
    const boundary = table.series.columns.boundary.get(slot)
    let start = state.next(slot, state.firstHolding(slot, boundary), course)
    for (; state.endOf(slot, start) <= closed; start = state.next(slot, start, course)) {
      if (isTouched(start) && !ingest.restater.waits(slot, width, start)) {
        const item = state.compute(slot, start, course)
        item.restated = true
        item.revision = cause.revision
        cause.restating = true
        lookup.take(slot, item as never)
        cause.restating = false
        counts.relooked++
      }
      start = state.following(slot, start)
    }
  }

  private itemOf(meter: number, slot: number): SeriesItem {
    const { table } = this.options
    return {
      tenant: table.tenants[meter]!,
      meterId: table.meterIds[meter]!,
      channel: table.channelOf(slot),
    }
  }
}
