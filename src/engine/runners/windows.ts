import type { Runner } from '../runner.ts'
import { CombineState, WindowState } from '../windows.ts'

export const runWindow: Runner<'window'> = (node, bench) => {
  const state = new WindowState(node, bench.table)
  state.emit = bench.emitOf(node) as WindowState['emit']
  bench.windows.push(state)
}

export const runCombine: Runner<'combine'> = (node, bench) => {
  const inner = bench.windows.find((w) => w.node === node.input)!
  const state = new CombineState(node, inner, bench.table)
  state.emit = bench.emitOf(node) as CombineState['emit']
  bench.combines.push(state)
  bench.state.addKeyed(node.id, 'panes', state.set)
}
