import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Pipeline } from '../../src/api/contract/overview.ts'
import { AnomalyList, anomalyHref, fits } from '../../src/web/data/anomaly-list.ts'
import { Joining } from '../../src/web/data/joining.ts'
import { rateBetween, smoothLine, smoothed } from '../../src/web/data/rates.ts'
import { seenRows } from '../../src/web/parts/virtual.ts'
import { problemOf, unreachable } from '../../src/web/rest/problem.ts'
import { anomalyAt } from './fake-data.ts'

describe('the live feed and REST', () => {
  test('are joined when REST tells the first thing of the feed', () => {
    const joining = new Joining()
    assert.ok(joining.isOver)
    joining.begin()
    assert.equal(joining.askFrom, undefined)
    joining.told(['1', '2'])
    assert.ok(!joining.isOver)
    joining.heard(['5', '6'])
    joining.heard(['7'])
    // What lies between may be missing: from the newest on that REST told.
    assert.equal(joining.askFrom, '2')
    joining.told(['2', '3'])
    assert.equal(joining.askFrom, '3')
    joining.told(['3', '4', '5'])
    assert.ok(joining.isOver)
    assert.equal(joining.askFrom, undefined)
  })

  test('are joined from what was late where that lies before', () => {
    const joining = new Joining()
    joining.begin()
    joining.told(['1', '9'])
    joining.heard(['4'])
    assert.equal(joining.askFrom, '4')
  })

  test('are joined anew where the feed begins anew', () => {
    const joining = new Joining()
    joining.begin()
    joining.heard(['3'])
    joining.told(['3'])
    joining.begin()
    joining.heard(['6'])
    assert.equal(joining.askFrom, '3')
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
    assert.deepEqual(smoothLine([2, 4, null, 8], 2), [2, 3, null, 8])
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

  test('keeps the newest where it is asked to', () => {
    const list = new AnomalyList()
    list.add(Array.from({ length: 25 }, (_, i) => anomalyAt('sim-0001', i * 900_000)))
    list.trim(13)
    assert.equal(list.newestFirst().length, 25)
    list.trim(12)
    assert.deepEqual(
      list.newestFirst().map(({ start }) => Date.parse(start) / 900_000),
      [24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13],
    )
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
