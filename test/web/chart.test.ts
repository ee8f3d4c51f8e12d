import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { ReadingItem } from '../../src/api/contract/items.ts'
import { parseMicros, widthMs } from '../../src/web/chart/instant.ts'
import { indexAt, lonePoints, medianGap, withGaps } from '../../src/web/chart/line.ts'
import { Readings } from '../../src/web/chart/readings.ts'
import { Revisions } from '../../src/web/chart/revisions.ts'

function reading(
  second: number,
  value: number | null,
  more: Partial<ReadingItem> = {},
): ReadingItem {
  const at = `${new Date(second * 1_000).toISOString().slice(0, 23)}000Z`
  return { meterId: 'm-1', channel: 'power_w', at, value, quality: 'MEASURED', seq: null, ...more }
}

test('instants keep their microseconds', () => {
  assert.equal(parseMicros('1970-01-01T00:00:01.000000Z'), 1_000_000)
  assert.equal(parseMicros('2026-11-20T00:00:00.123456Z') % 1_000_000, 123_456)
  assert.equal(parseMicros('1970-01-01T01:00:00+01:00'), 0)
  assert.equal(parseMicros('1969-12-31T23:59:59.999999Z'), -1)
  assert.deepEqual(
    ['1m', '15m', '6h', '7d', '1mo'].map(widthMs),
    [60_000, 900_000, 21_600_000, 604_800_000, 0],
  )
})

describe('readings of a chart', () => {
  test('are each there once, in order, whichever way they came', () => {
    const seconds = fc.array(fc.nat(40), { maxLength: 60 })
    fc.assert(
      fc.property(seconds, fc.nat(60), (order, cut) => {
        const items = order.map((second) => reading(second, second))
        const readings = new Readings()
        // What came live, and what REST told of the same time.
        readings.add(items.slice(cut))
        readings.add(items)
        const wanted = [...new Set(order)].sort((a, b) => a - b)
        assert.deepEqual(
          readings.items.map(({ at }) => at / 1e6),
          wanted,
        )
      }),
    )
  })

  test('of one time are told apart by seq, then by quality, then by which came later', () => {
    const readings = new Readings()
    const add = (...items: ReadingItem[]) => readings.add(items)
    assert.equal(add(reading(1, 10)), 1)
    assert.equal(add(reading(1, 11)), 1)
    assert.equal(add(reading(1, 11)), 0)
    assert.equal(add(reading(1, 12, { quality: 'SUSPECT' })), 0)
    assert.equal(add(reading(1, 13, { seq: 4, quality: 'SUSPECT' })), 1)
    assert.equal(add(reading(1, 14, { seq: 3 })), 0)
    assert.equal(readings.newest?.value, 13)
  })

  test('are given and kept by time', () => {
    const readings = new Readings()
    readings.add([1, 2, 3, 4].map((s) => reading(s, s)))
    const values = (items: readonly { value: number | null }[]) => items.map(({ value }) => value)
    assert.deepEqual(values(readings.between(2e6, 4e6)), [2, 3])
    readings.keep(3e6, 9e6)
    assert.deepEqual(values(readings.items), [3, 4])
  })
})

test('of windows the highest revision is there, whatever the order', () => {
  const window = (start: string, revision: number) => ({
    ...{ meterId: 'm-1', channel: 'power_w', width: '15m' },
    ...{ start, revision },
  })
  const all = [window('b', 1), window('a', 3), window('a', 2), window('b', 4)]
  fc.assert(
    fc.property(fc.shuffledSubarray(all, { minLength: 4 }), (order) => {
      const revisions = new Revisions()
      for (const item of order) revisions.add([item])
      assert.deepEqual(revisions.items, [window('a', 3), window('b', 4)])
      assert.equal(revisions.add(all), 0)
    }),
  )
})

describe('a line', () => {
  test('is broken where readings are missing, and nowhere else', () => {
    const line = { x: [0, 10, 20, 50, 60], y: [1, 2, 3, 4, 5] }
    assert.deepEqual(withGaps(line, 25), {
      x: [0, 10, 20, 35, 50, 60],
      y: [1, 2, 3, null, 4, 5],
    })
    assert.deepEqual(withGaps(line, 30), line)
    assert.deepEqual(withGaps(line, undefined), line)
  })

  test('shows a reading between two gaps as a point', () => {
    assert.deepEqual(lonePoints({ x: [0, 1, 2, 3, 4, 5], y: [1, null, 2, null, 3, 4] }), [0, 2])
  })

  test('knows what interval is usual where there are enough', () => {
    assert.equal(medianGap([0, 10, 20, 30, 100]), 10)
    assert.equal(medianGap([0, 10]), undefined)
  })

  test('finds the point at a time', () => {
    assert.deepEqual(
      [-1, 0, 5, 10, 99].map((at) => indexAt([0, 10, 20], at)),
      [-1, 0, 0, 1, 2],
    )
  })
})
