import { ColumnSet } from '../columns.ts'
import { BoundedLists } from '../lists.ts'
import type { Runner } from '../runner.ts'

export const runScan: Runner<'scan'> = (node, bench) => {
  const { operator } = node
  const emit = bench.emitOf(node)
  const set = new ColumnSet(operator.columns)
  const state: Record<string, unknown> = { ...set.columns }
  bench.state.addKeyed(node.id, 'columns', set)
  for (const [name, declaration] of Object.entries(operator.lists ?? {})) {
    state[name] = bench.state.addKeyed(node.id, `list ${name}`, new BoundedLists(declaration))
  }
  let current = 0
  const out = (item: never) => emit(current, item)
  bench.feed(node.input, (slot, item) => {
    current = slot
    operator.step(state as never, slot, item, out)
  })
}
