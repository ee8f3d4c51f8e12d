import type { Micros } from '../../kernel/time.ts'
import type { SeriesItem } from '../nodes.ts'
import type { Runner } from '../runner.ts'
import { TableView } from './table-view.ts'

export const runLookupTable: Runner<'lookup-table'> = (node, bench) => {
  const view = new TableView(node.table, bench.counts)
  bench.views.set(node, view)
  bench.state.add(node.id, 'rows', view)
}

/** What an item may tell of its time, and of how new it is. */
interface Timed extends SeriesItem {
  readonly at?: Micros
  readonly start?: Micros
  revision?: number
}

export const runLookup: Runner<'lookup'> = (node, bench) => {
  const emit = bench.emitOf(node) as (slot: number, item: unknown) => void
  const view = bench.views.get(node.table)!
  const keyOf = node.keyOf
  const join = node.join as (item: unknown, row: unknown) => unknown
  const take = (slot: number, item: Timed) => {
    const key = keyOf(item)
    const row = view.find(key, item.start ?? item.at ?? Infinity)
    const { revision } = item
    const ofRow = view.revisionOf(key)
    // A row that came later than all that the item is made of makes what is joined that new.
    if (revision === undefined || revision >= ofRow) {
      emit(slot, join(item, row))
      return
    }
    item.revision = ofRow
    emit(slot, join(item, row))
    item.revision = revision
  }
  bench.feed(node.input, take)
  bench.lookups.push({ node, keyOf, take: take })
}
