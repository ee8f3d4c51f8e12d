import { ColumnSet } from '../columns.ts'
import { BoundedLists } from '../lists.ts'
import type { Runner } from '../runner.ts'

export const runScan: Runner<'scan'> = (node, bench) => {
  const { operator } = node
  const emit = bench.emitOf(node)
  const set = new ColumnSet(operator.columns)
  const state: Record<string, unknown> = { ...set.columns }
  bench.keep(set)
  for (const [name, declaration] of Object.entries(operator.lists ?? {})) {
    const lists = new BoundedLists(declaration)
    state[name] = lists
    bench.keep(lists)
  }
  let current = 0
  const out = (item: never) => emit(current, item)
  bench.feed(node.input, (slot, item) => {
    current = slot
    operator.step(state as never, slot, item, out)
  })
}
