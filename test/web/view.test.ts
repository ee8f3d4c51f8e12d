import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { rangeToLoad, resolutionFor, widened } from '../../src/web/chart/resolution.ts'
import { stepFor, tickTexts, ticksIn } from '../../src/web/chart/ticks.ts'
import * as views from '../../src/web/chart/view.ts'
import { offsetMsAt } from '../../src/web/text/zone.ts'

const HOUR = 3_600_000
const NOW = Date.parse('2026-11-20T12:00:00Z')

describe('a view', () => {
  test('that is live moves on with the clock and keeps its span', () => {
    const view = views.liveView(HOUR, NOW)
    const later = views.movedOn(view, NOW + 5_000)
    assert.equal(later.to - view.to, 5_000)
    assert.ok(Math.abs(views.spanOf(later) - HOUR) < 0.01)
    const fixed = views.viewOf(NOW - 2 * HOUR, NOW - HOUR, NOW)
    assert.equal(views.movedOn(fixed, NOW + 5_000), fixed)
  })

  test('keeps what is under the pointer there when it is zoomed', () => {
    const shares = fc.double({ min: 0.01, max: 0.99, noNaN: true })
    const factors = fc.double({ min: 0.1, max: 4, noNaN: true })
    fc.assert(
      fc.property(shares, factors, (share, factor) => {
        const view = views.viewOf(NOW - 90 * HOUR, NOW - 80 * HOUR, NOW)
        const anchor = view.from + share * views.spanOf(view)
        const next = views.zoomed(view, factor, anchor, NOW)
        const seen = (anchor - next.from) / views.spanOf(next)
        assert.ok(Math.abs(seen - share) < 1e-6)
        assert.ok(Math.abs(views.spanOf(next) / views.spanOf(view) - factor) < 1e-6)
      }),
    )
  })

  test('that is zoomed at the present stays live', () => {
    const view = views.zoomed(views.liveView(HOUR, NOW), 0.5, NOW, NOW)
    assert.ok(view.isLive)
    assert.ok(Math.abs(views.spanOf(view) - HOUR / 2) < 0.01)
  })

  test('goes into history and comes back to the present', () => {
    const back = views.panned(views.liveView(HOUR, NOW), -0.25, NOW)
    assert.ok(!back.isLive)
    assert.ok(views.panned(back, 0.5, NOW).isLive)
    assert.ok(!views.panned(back, 0.1, NOW + HOUR).isLive)
  })

  test('is never narrower than can be seen', () => {
    const view = views.viewOf(NOW - HOUR, NOW - HOUR + 5, NOW)
    assert.equal(views.spanOf(view), views.SPAN_MS_MIN)
  })
})

describe('what a chart is drawn from', () => {
  const needs = { choice: 'auto', pixels: 800, intervalS: 10, isEnergy: false } as const
  const kindOf = (more: object) => resolutionFor({ ...needs, spanMs: HOUR, ...more }).resolution

  test('is readings for short spans and windows that fit the width for others', () => {
    assert.deepEqual(kindOf({ spanMs: 2 * HOUR }), { kind: 'raw' })
    assert.deepEqual(kindOf({ spanMs: 2 * HOUR + 1 }), { kind: 'fitting', points: 800 })
    assert.deepEqual(kindOf({ isEnergy: true }), { kind: 'fitting', points: 800 })
  })

  test('is what was chosen, unless that would be too many', () => {
    assert.deepEqual(kindOf({ choice: '1m' }), { kind: 'width', width: '1m' })
    assert.deepEqual(kindOf({ choice: 'raw', spanMs: 24 * HOUR }), { kind: 'raw' })
    const { resolution, note } = resolutionFor({ ...needs, choice: '1m', spanMs: 1_000 * HOUR })
    assert.equal(resolution.kind, 'fitting')
    assert.match(note!, /about 60,000/)
  })

  test('has as many points for each pixel where more than the view is fetched', () => {
    const [view, range] = [10, 15].map((to) => ({ from: 0, to }))
    const fitting = { kind: 'fitting', points: 800 } as const
    assert.deepEqual(widened(fitting, range!, view!), { kind: 'fitting', points: 1_200 })
    assert.deepEqual(widened({ kind: 'raw' }, range!, view!), { kind: 'raw' })
  })

  test('is fetched with a margin, and only where it is not there yet', () => {
    const view = { from: NOW - 3 * HOUR, to: NOW - HOUR }
    const range = rangeToLoad(view, undefined, NOW)
    assert.deepEqual(range, { from: NOW - 4 * HOUR, to: NOW })
    assert.equal(rangeToLoad(view, range, NOW), undefined)
    const earlier = { from: NOW - 5 * HOUR, to: NOW - 3 * HOUR }
    assert.deepEqual(rangeToLoad(earlier, range, NOW), { from: NOW - 6 * HOUR, to: NOW - 2 * HOUR })
    const live = { from: NOW - HOUR, to: NOW + 60_000 }
    assert.equal(rangeToLoad(live, { from: NOW - 2 * HOUR, to: NOW }, NOW), undefined)
  })
})

describe('marks of the time axis', () => {
  const BERLIN = 'Europe/Berlin'
  const texts = (from: string, to: string, step: number) => {
    const ticks = ticksIn(Date.parse(from), Date.parse(to), step, BERLIN)
    return tickTexts(ticks, step, BERLIN).map(({ clock, day }) => `${clock} ${day}`.trim())
  }

  test('are at most as many as asked for', () => {
    assert.equal(stepFor(HOUR, 6), 10 * 60_000)
    assert.equal(stepFor(24 * HOUR, 8), 3 * HOUR)
    assert.equal(stepFor(7 * 24 * HOUR, 7), 24 * HOUR)
  })

  test('lie on round local times, the day on its first', () => {
    assert.deepEqual(texts('2026-11-19T20:30:00Z', '2026-11-20T02:00:00Z', HOUR * 2), [
      '22:00 Thu 19 Nov',
      '00:00 Fri 20 Nov',
      '02:00',
    ])
  })

  test('leave out the hour that is not there, and have twice the one that comes twice', () => {
    assert.deepEqual(texts('2026-03-29T00:00:00Z', '2026-03-29T02:00:00Z', HOUR), [
      '01:00 Sun 29 Mar',
      '03:00',
      '04:00',
    ])
    assert.deepEqual(texts('2026-10-24T23:00:00Z', '2026-10-25T02:00:00Z', HOUR), [
      '01:00 Sun 25 Oct',
      '02:00',
      '02:00',
      '03:00',
    ])
  })

  test('of days lie on local midnights, whatever the length of the day', () => {
    const ticks = ticksIn(
      Date.parse('2026-10-23T00:00:00Z'),
      Date.parse('2026-10-27T12:00:00Z'),
      24 * HOUR,
      BERLIN,
    )
    assert.equal(ticks.length, 4)
    for (const at of ticks) assert.equal((at + offsetMsAt(BERLIN, at)) % (24 * HOUR), 0)
  })

  test('ascend and lie inside, for any span in any zone', () => {
    const zones = fc.constantFrom(BERLIN, 'UTC', 'Australia/Lord_Howe', 'America/St_Johns')
    const hours = fc.integer({ min: 1, max: 24 * 400 })
    fc.assert(
      fc.property(zones, hours, fc.nat(24 * 500), (zone, span, shift) => {
        const from = NOW - shift * HOUR
        const to = from + span * HOUR
        const ticks = ticksIn(from, to, stepFor(to - from, 8), zone)
        assert.ok(ticks.length <= 11)
        assert.ok(ticks.every((at, i) => at >= from && at <= to && at > (ticks[i - 1] ?? 0)))
      }),
    )
  })
})
