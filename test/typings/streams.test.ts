/* eslint-disable @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-member-access --
   what the type checker refuses has no type */
import assert from 'node:assert/strict'
import test from 'node:test'
import { calendar, topology, tumbling } from '../../src/engine/dsl.ts'
import { hours, minutes } from '../../src/kernel/time.ts'
import { TABLES } from '../../src/schemas/tables.ts'
import { windowCells } from '../../topologies/windows.ts'

// The type checker is the test here, as in dsl.test.ts beside it: each line under @ts-expect-error
// must be refused. `refused` is never called.

const refused = topology.bind(null, 'refused', (t) => {
  const measured = t.readings('measured', { disorder: 'registered', horizon: hours(1) })
  const { high } = measured.branch('parts', { high: (s) => s.value > 1 }, 'rest')
  // @ts-expect-error -- no branch has this name
  measured.branch('others', { high: (s) => s.value > 1 }, 'rest').low.filter('f', () => true)
  // @ts-expect-error -- a sample has no such field
  measured.branch('third', { high: (s) => s.mean > 1 })
  // @ts-expect-error -- a sample is no pane: it has no cells of one
  high.toTable('rows', TABLES.windows, windowCells)
  const scaled = measured.map('scaled', ({ value }) => ({ kilowatts: value / 1_000 }))
  // @ts-expect-error -- the map has left the watts behind
  scaled.filter('watts', (s) => s.watts > 1)
  // @ts-expect-error -- how old the right one may be is never taken for granted
  measured.asOf('joined', { left: 'power_w', right: 'voltage_v' })
  // @ts-expect-error -- samples are put in windows before those are combined
  measured.combine('day', calendar('1d', 'day'))
  // @ts-expect-error -- a week is no unit of the calendar
  calendar('1w', 'week')
  // @ts-expect-error -- a window of samples is of one fixed length
  measured.window('local', calendar('1d', 'day'))
})

test('what is typed rightly is declared', () => {
  const accepted = topology('accepted', (t) => {
    const measured = t.readings('measured', { disorder: 'registered', horizon: hours(1) })
    const options = { left: 'power_w', right: 'voltage_v', tolerance: minutes(5) }
    const amperes = measured
      .asOf('power-and-voltage', options)
      .map('amperes', (j) => ({ at: j.at, amperes: j.left / j.right }))
    const day = measured
      .window('quarter', tumbling('15m', minutes(15)))
      .combine('day', calendar('1d', 'day'))
    return { amperes, day }
  })
  assert.equal(accepted.exports.amperes.node.kind, 'map')
  assert.equal(typeof refused, 'function')
  assert.equal(accepted.exports.day.node.kind, 'combine')
})
