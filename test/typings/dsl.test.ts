/* eslint-disable @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-assignment,
   @typescript-eslint/no-unsafe-call, @typescript-eslint/restrict-plus-operands --
   what the type checker refuses has no type */
import assert from 'node:assert/strict'
import test from 'node:test'
import { f64, u16 } from '../../src/engine/columns.ts'
import { topology, tumbling } from '../../src/engine/dsl.ts'
import type { Stream } from '../../src/engine/dsl.ts'
import { list } from '../../src/engine/lists.ts'
import type { Operator, Pane, Sample } from '../../src/engine/nodes.ts'
import { hours, minutes } from '../../src/kernel/time.ts'
import { TABLES } from '../../src/schemas/tables.ts'
import { windowCells } from '../../topologies/windows.ts'

// The type checker is the test here: each line under @ts-expect-error must be refused, and the
// others must not. Nothing of it runs but the last lines.

const columns = { total: f64(), seen: u16(4) }
const lists = { recent: list(['at', 'value'], { max: 8 }) }

const good: Operator<Pane, { n: number }, typeof columns, typeof lists> = {
  declaration: 'good',
  columns,
  lists,
  step({ total, seen, recent }, slot, pane, out) {
    total.set(slot, pane.sum)
    seen.set(slot, 1, 3)
    recent.set(slot, recent.push(slot), recent.field('value'), pane.mean)
    out({ n: total.get(slot) })
  },
}

const wrongState: typeof good = {
  declaration: 'wrong state',
  columns,
  lists,
  // @ts-expect-error -- no column is declared under this name
  step({ missing }) {
    return missing
  },
}

const wrongField: typeof good = {
  declaration: 'wrong field',
  columns,
  lists,
  step({ recent }, slot, pane, out) {
    // @ts-expect-error -- the list has no such field
    recent.field('volume')
    // @ts-expect-error -- a pane has no such number
    out({ n: pane.average + slot })
    // @ts-expect-error -- the operator gives another item
    out({ m: 1 })
  },
}

const ofSamples: Operator<Sample, Sample, typeof columns> = {
  declaration: 'of samples',
  columns,
  step(_state, _slot, sample, out) {
    out(sample)
  },
}

/** Needs more of an item than a pane has. */
const ofMore: Operator<Pane & { zone: string }, Pane, typeof columns> = {
  declaration: 'of more',
  columns,
  step(_state, _slot, item, out) {
    if (item.zone === 'UTC') out(item)
  },
}

const accepted = topology('typings', (t) => {
  const series = t.readings('measured', { disorder: 'registered', horizon: hours(1) })
  const quarter = series.window('quarter-hour', tumbling('15m', minutes(15)))
  const counted: Stream<{ n: number }> = quarter.scan('good', good)
  quarter.toTable('rows', TABLES.windows, windowCells)
  return { series, quarter, counted }
})

export function refused(): void {
  topology('refused', (t) => {
    // @ts-expect-error -- how late a sample may come is never taken for granted
    t.readings('no-lateness', { disorder: 'registered' })
    // @ts-expect-error -- nor how far out of order
    t.readings('no-disorder', { horizon: 0 })
    // @ts-expect-error -- a width has a name and a length
    t.readings('measured', { disorder: 0, horizon: 0 }).window('w', minutes(15))
    const { series, quarter, counted } = accepted.exports
    // @ts-expect-error -- this operator reads samples, not panes
    quarter.scan('wrong-input', ofSamples)
    // @ts-expect-error -- this operator needs more than a pane has
    quarter.scan('more', ofMore)
    // @ts-expect-error -- only windows combine
    series.combine('c', tumbling('1h', hours(1)))
    // @ts-expect-error -- an item of this stream has no such field
    counted.filter('f', (item) => item.m > 0)
    // @ts-expect-error -- a column is left out
    counted.toTable('short', TABLES.baselines, { ts: (item) => item.n })
    // @ts-expect-error -- the table has no such column
    quarter.toTable('more-rows', TABLES.windows, { ...windowCells, zone: () => 'UTC' })
    quarter.toTable('kind', TABLES.windows, {
      ...windowCells,
      // @ts-expect-error -- a symbol is a text
      width: (pane) => pane.start,
    })
    quarter.toTable('unit', TABLES.windows, {
      ...windowCells,
      // @ts-expect-error -- a number is no text
      sum: (pane) => String(pane.sum),
    })
    quarter.toLog('record', {
      topic: 'windows',
      record: 'window',
      // @ts-expect-error -- the record has more fields
      map: (pane) => ({ tenant: pane.tenant }),
    })
    quarter.toLog('topic', {
      // @ts-expect-error -- there is no such topic
      topic: 'window',
      record: 'window',
      map: () => {
        throw new Error('never called')
      },
    })
  })
}

test('what is typed rightly is made', () => {
  assert.equal(accepted.exports.counted.node.id, 'typings/good')
  assert.ok([wrongState, wrongField].every((operator) => operator.columns === columns))
})
