import type { Runner } from '../runner.ts'

export const runFilter: Runner<'filter'> = (node, bench) => {
  const emit = bench.emitOf(node)
  bench.feed(node.input, (slot, item) => {
    if (node.keep(item)) emit(slot, item)
  })
}

export const runMap: Runner<'map'> = (node, bench) => {
  const emit = bench.emitOf(node)
  bench.feed(node.input, (slot, item) => {
    emit(slot, node.make(item) as never)
  })
}
