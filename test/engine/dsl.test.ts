import assert from 'node:assert/strict'
import test from 'node:test'
import { hasCode } from '../../src/kernel/errors.ts'
import { hours, minutes } from '../../src/kernel/time.ts'
import { fuse, printPipeline, topology, tumbling } from '../../src/engine/dsl.ts'
import { TABLES } from '../../src/schemas/tables.ts'
import { pipeline } from '../../topologies/index.ts'
import { windowCells } from '../../topologies/windows.ts'

const NONE_LATE = { disorder: 0, horizon: 0 } as const

const base = (horizon = hours(1)) =>
  topology('base', (t) => {
    const quarter = t
      .readings('measured', { disorder: 'registered', horizon })
      .window('quarter-hour', tumbling('15m', minutes(15)))
    quarter.toTable('rows', TABLES.windows, windowCells)
    return { quarter }
  })

const refuses = (code: string, named: RegExp) => (error: unknown) =>
  hasCode(error, code) && named.test(error.message)

test('a topology is frozen data', () => {
  const made = base()
  assert.ok(Object.isFrozen(made) && Object.isFrozen(made.sinks))
  for (const node of fuse('all', [made]).nodes) assert.ok(Object.isFrozen(node), node.id)
})

test('what cannot be is refused where it is said, naming bound and value', () => {
  const readings = (horizon: number) => () => base(horizon)
  assert.throws(readings(-1), refuses('engine.badOption', /horizon is -1.*0 or more/))
  assert.throws(readings(NaN), refuses('engine.badOption', /horizon is NaN/))
  assert.throws(
    () => topology('t', (t) => t.readings('r', { disorder: 0.5, horizon: 0 })),
    refuses('engine.badOption', /disorder is 0.5/),
  )
  const window = (micros: number) => () =>
    topology('t', (t) => t.readings('r', NONE_LATE).window('w', tumbling('x', micros)))
  assert.throws(window(0), refuses('engine.badOption', /width is 0/))
  assert.throws(window(1.5), refuses('engine.badOption', /width is 1.5/))
  const combined = (micros: number) => () =>
    topology('t', (t) =>
      t
        .readings('r', NONE_LATE)
        .window('w', tumbling('15m', minutes(15)))
        .combine('c', tumbling('x', micros)),
    )
  assert.throws(combined(minutes(40)), refuses('engine.badOption', /2400000000.*multiple/))
  assert.throws(combined(minutes(15)), refuses('engine.badOption', /multiple/))
})

test('names are states: each once, in small letters, inside a topology', () => {
  assert.throws(
    () => topology('t', (t) => t.readings('Not so', NONE_LATE)),
    refuses('engine.badName', /'Not so'/),
  )
  assert.throws(
    () =>
      topology('t', (t) => {
        t.readings('twice', NONE_LATE)
        t.readings('twice', NONE_LATE)
      }),
    refuses('engine.badName', /'t\/twice'/),
  )
  const { quarter } = base().exports
  assert.throws(
    () => quarter.filter('outside', () => true),
    refuses('engine.outsideTopology', /'outside'/),
  )
  assert.throws(
    () => fuse('all', [base(), base()]),
    refuses('engine.badName', /'base\/rows'/),
    'two nodes of one name would share a state',
  )
})

test('a pipeline without a sink has nothing to do', () => {
  const silent = topology('silent', (t) => t.readings('r', NONE_LATE))
  assert.throws(() => fuse('all', [silent]), refuses('engine.nothingToDo', /all/))
})

test('fused topologies share the nodes that they build on', () => {
  const below = base()
  const above = topology('above', () => {
    below.exports.quarter
      .filter('full', (pane) => pane.completeness === 1)
      .toTable('full-rows', TABLES.windows, windowCells)
  })
  const ids = fuse('all', [below, above]).nodes.map((node) => node.id)
  assert.deepEqual(ids, [
    'base/measured',
    'base/quarter-hour',
    'base/rows',
    'above/full',
    'above/full-rows',
  ])
  assert.deepEqual(
    fuse('above alone', [above]).nodes.map((node) => node.id),
    ['base/measured', 'base/quarter-hour', 'above/full', 'above/full-rows'],
  )
})

test('a fingerprint changes with the node and with all that it reads', () => {
  const one = fuse('all', [base()]).fingerprint
  const same = fuse('other name', [base()]).fingerprint
  const other = fuse('all', [base(hours(2))]).fingerprint
  assert.deepEqual([...one], [...same])
  assert.notEqual(one.get('base/measured'), other.get('base/measured'))
  assert.notEqual(one.get('base/quarter-hour'), other.get('base/quarter-hour'))
})

test('the product prints', () => {
  const text = printPipeline(pipeline)
  const measured = 'series disorder registered horizon 3600000000 silence registered'
  assert.ok(text.startsWith(`readings/measured: ${measured}\n`), text)
  assert.match(text, /^ {2}windows\/quarter-hour: window 15m 900000000$/m)
  assert.match(text, /^ {4}windows\/hour: combine 1h 3600000000$/m)
  assert.match(text, /^ {4}rolling-baseline\/baseline: scan rolling-baseline/m)
  assert.equal(text.split('\n').length, pipeline.nodes.length)
})
