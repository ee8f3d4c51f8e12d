/* eslint-disable @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call --
   what the type checker refuses has no type */
import assert from 'node:assert/strict'
import test from 'node:test'
import { topology, tumbling } from '../../src/engine/dsl.ts'
import { hours, minutes } from '../../src/kernel/time.ts'
import { TABLES } from '../../src/schemas/tables.ts'
import { windowCells } from '../../topologies/windows.ts'

// Lookup tables and silence. The type checker is the test here, as in dsl.test.ts beside it: each
// line under @ts-expect-error must be refused. `refused` is never called.

const FIELDS = { highW: 'number', note: 'text', isHome: 'flag' } as const
const ROWS = { topic: 'limits', mode: 'from-now', fields: FIELDS } as const
const LATENESS = { disorder: 'registered', horizon: hours(1), silence: 'registered' } as const

const refused = topology.bind(null, 'refused', (t) => {
  const limits = t.table('limits', ROWS)
  const measured = t.readings('measured', LATENESS)
  const quarter = measured.window('quarter', tumbling('15m', minutes(15)))
  const byMeter = ({ meterId }: { readonly meterId: string }) => meterId

  // @ts-expect-error -- from when on a row holds is never taken for granted
  t.table('modeless', { topic: 'limits', fields: FIELDS })
  // @ts-expect-error -- no table joins so
  t.table('latest', { ...ROWS, mode: 'latest' })
  // @ts-expect-error -- a row holds numbers, texts and flags
  t.table('dated', { ...ROWS, fields: { since: 'date' } })
  // @ts-expect-error -- a row has no such field
  quarter.lookup('low', limits, byMeter, (_pane, row) => row?.lowW)
  // @ts-expect-error -- there may be no row of the key
  quarter.lookup('high', limits, byMeter, (_pane, row) => row.highW)
  // @ts-expect-error -- a note is no number
  quarter.lookup('noted', limits, byMeter, (_pane, row) => Math.round(row?.note))
  // @ts-expect-error -- a pane has no such field
  quarter.lookup('spent', limits, byMeter, (pane) => pane.watts)
  // @ts-expect-error -- keys are texts
  quarter.lookup('keyed', limits, (): number => 1, String)
  // @ts-expect-error -- a key is of the series alone, and not of an item of it
  quarter.lookup('timed', limits, ({ start }) => String(start), String)
  // @ts-expect-error -- a stream is no table
  quarter.lookup('streamed', measured, byMeter, (pane) => pane)

  const events = measured.silence('events')
  // @ts-expect-error -- a silence is of the whole meter, and of no channel
  events.toTable('rows', TABLES.windows, { ...windowCells, channel: (e) => e.channel })
  // @ts-expect-error -- a meter is silent or back
  events.filter('gone', (e) => e.state === 'gone')
  // @ts-expect-error -- windows are of samples, and a silence is none
  events.window('quarters', tumbling('15m', minutes(15)))
  // @ts-expect-error -- silence is told of meters as they are read, and not of windows
  quarter.silence('of-windows')
  // @ts-expect-error -- silence is as the registry says
  t.readings('other', { ...LATENESS, silence: 'never' })
})

test('what is typed rightly is declared', () => {
  const accepted = topology('accepted', (t) => {
    const limits = t.table('limits', ROWS)
    const measured = t.readings('measured', LATENESS)
    const beside = measured
      .window('quarter', tumbling('15m', minutes(15)))
      .lookup(
        'limit',
        limits,
        (series) => `${series.tenant}/${series.meterId}`,
        (pane, row) => {
          const highW: number = row?.highW ?? NaN
          const note: string | undefined = row?.note
          const isHome: boolean | undefined = row?.isHome
          return { mean: pane.mean, highW, note, isHome }
        },
      )
      .filter('high', ({ mean, highW }) => mean > highW)
    const silent = measured.silence('events').filter('silent', (e) => e.state === 'silent')
    return { beside, silent }
  })
  assert.equal(accepted.exports.beside.node.kind, 'filter')
  assert.equal(accepted.exports.silent.node.kind, 'filter')
  assert.equal(typeof refused, 'function')
})
