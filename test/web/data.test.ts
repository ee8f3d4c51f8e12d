import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ReadingItem } from '../../src/api/contract/items.ts'
import type { Pipeline } from '../../src/api/contract/overview.ts'
import { AnomalyList, anomalyHref, fits } from '../../src/web/data/anomaly-list.ts'
import { Joining } from '../../src/web/data/joining.ts'
import { rateBetween, smoothed } from '../../src/web/data/rates.ts'
import { seenRows } from '../../src/web/parts/virtual.ts'
import { problemOf, unreachable } from '../../src/web/rest/problem.ts'
import { anomalyAt } from './fake-data.ts'

const reading = (at: string): ReadingItem => ({
  ...{ meterId: 'm-1', channel: 'power_w', at, value: 1, quality: 'MEASURED', seq: null },
})

describe('the live feed and REST', () => {
  test('are joined when REST tells the first reading of the feed', () => {
    const joining = new Joining()
    assert.ok(joining.isOver)
    joining.begin()
    assert.equal(joining.askFrom, undefined)
    joining.told([reading('a'), reading('b')])
    assert.ok(!joining.isOver)
    joining.heard([reading('c'), reading('d')])
    joining.heard([reading('e')])
    assert.equal(joining.askFrom, 'c')
    joining.told([reading('a'), reading('b')])
    assert.equal(joining.askFrom, 'c')
    joining.told([reading('b'), reading('c')])
    assert.ok(joining.isOver)
    assert.equal(joining.askFrom, undefined)
  })

  test('are joined anew where the feed begins anew', () => {
    const joining = new Joining()
    joining.begin()
    joining.heard([reading('c')])
    joining.told([reading('c')])
    joining.begin()
    joining.heard([reading('f')])
    joining.told([reading('c')])
    assert.equal(joining.askFrom, 'f')
  })
})

describe('rates', () => {
  const look = (second: number, total: number | null): Pipeline => ({
    at: new Date(second * 1_000).toISOString(),
    stages: [
      {
        ...{ stage: 'bridge', ready: true, reasons: [], unit: 'readings', total },
        ...{ lagRecords: null, lagSeconds: null },
      },
    ],
    deadLetters: [],
  })

  test('are the difference of two looks; not known where one is missing or a process new', () => {
    assert.equal(rateBetween(look(10, 100), look(12, 150), 'bridge'), 25)
    assert.equal(rateBetween(undefined, look(12, 150), 'bridge'), null)
    assert.equal(rateBetween(look(10, null), look(12, 150), 'bridge'), null)
    assert.equal(rateBetween(look(10, 100), look(12, 20), 'bridge'), null)
    assert.equal(rateBetween(look(10, 100), look(10, 100), 'bridge'), null)
    assert.equal(rateBetween(look(10, 100), look(12, 150), 'live'), null)
  })

  test('are smoothed over those that are known', () => {
    assert.equal(smoothed([100, null, 2, 4], 3), 3)
    assert.equal(smoothed([100, null], 1), null)
  })
})

describe('a list of anomalies', () => {
  const [early, late] = [anomalyAt('sim-0001', 900_000), anomalyAt('sim-0002', 1_800_000)]

  test('has each once, the newest window first, as it was last told', () => {
    const list = new AnomalyList()
    assert.equal(list.add([early, late]), 2)
    const withdrawn = { ...early, state: 'retracted' as const, revision: early.revision + 1 }
    assert.equal(list.add([withdrawn, late]), 0)
    list.add([early])
    assert.deepEqual(list.newestFirst(), [late, withdrawn])
  })

  test('is filtered by kind, severity and meter together', () => {
    const { kind, severity, meterId } = early
    const none = { kind: '', severity: '', meterId: '' }
    assert.ok(fits(early, none) && fits(early, { kind, severity, meterId }))
    for (const wrong of [{ kind: 'x' }, { severity: 'x' }, { meterId: 'x' }]) {
      assert.ok(!fits(early, { ...none, ...wrong }))
    }
  })

  test('leads to the time around it, and not into the future', () => {
    const url = new URL(anomalyHref(early, Date.parse(early.end) + 60_000), 'http://x')
    assert.equal(url.pathname, '/meters/sim-0001')
    assert.equal(url.searchParams.get('channel'), 'power_w')
    const [from, to] = ['from', 'to'].map((name) => Date.parse(url.searchParams.get(name)!))
    assert.ok(from! < Date.parse(early.start))
    assert.equal(to, Date.parse(early.end) + 60_000)
  })
})

test('of a long list the rows in sight are drawn, and some around them', () => {
  assert.deepEqual(seenRows(10_000, 40, 4_000, 400), { first: 92, end: 118 })
  assert.deepEqual(seenRows(5, 40, 0, 400), { first: 0, end: 5 })
  assert.deepEqual(seenRows(0, 40, 0, 400), { first: 0, end: 0 })
  // The list has become shorter than what was scrolled to.
  assert.deepEqual(seenRows(5, 40, 4_000, 400), { first: 5, end: 5 })
})

test('a problem tells what the api said, whatever it said', () => {
  const said = JSON.stringify({ title: 'Bad query', detail: "from is 'x'", remedy: 'give a time' })
  const { title, message, remedy, status } = problemOf(400, said)
  assert.deepEqual(
    [title, message, remedy, status],
    ['Bad query', "from is 'x'", 'give a time', 400],
  )
  assert.equal(problemOf(502, '<html>').message, '<html>')
  assert.equal(problemOf(500, 'null').title, 'The api answered 500')
  assert.match(unreachable(new TypeError('Failed to fetch')).message, /Failed to fetch/)
})
