import { CalendarGrid } from '../calendar.ts'
import { combineState } from '../combined.ts'
import type { CombineState } from '../combined.ts'
import { FixedGrid } from '../grid.ts'
import type { Grid } from '../grid.ts'
import type { CombineNode } from '../nodes.ts'
import type { Bench, Runner } from '../runner.ts'
import { WindowState } from '../windows.ts'

export const runWindow: Runner<'window'> = (node, bench) => {
  const state = new WindowState(node, bench.table)
  state.emit = bench.emitOf(node) as WindowState['emit']
  bench.windows.push(state)
}

export const runCombine: Runner<'combine'> = (node, bench) => {
  const inner = bench.windows.find((w) => w.node === node.input)!
  const state = combineState(node, inner, bench.table, gridOf(node, bench))
  state.emit = bench.emitOf(node) as CombineState['emit']
  bench.combines.push(state)
  bench.state.addKeyed(node.id, 'panes', state.kept)
}

function gridOf({ id, span }: CombineNode, { table, options, state }: Bench): Grid {
  if (span.kind !== 'calendar') {
    return new FixedGrid(span.micros, span.kind === 'hopping' ? span.advance : span.micros)
  }
  const grid = new CalendarGrid(span.unit, (slot) => {
    const meter = table.series.columns.meter.get(slot)
    return options.registry.meter(table.tenants[meter]!, table.meterIds[meter]!).zone
  })
  return state.addKeyed(id, 'zones', grid)
}
