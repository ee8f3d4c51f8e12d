import { AsOfState, SlidingState } from '../items.ts'
import type { Runner } from '../runner.ts'

export const runSliding: Runner<'sliding'> = (node, bench) => {
  const state = new SlidingState(node, bench.table)
  state.emit = bench.emitOf(node) as SlidingState['emit']
  bench.items.push(state)
}

export const runAsOf: Runner<'as-of'> = (node, bench) => {
  const state = new AsOfState(node, bench.table)
  state.emit = bench.emitOf(node) as AsOfState['emit']
  bench.items.push(state)
}
