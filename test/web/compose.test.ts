import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Ingredients, compose, extentOf, valueRange } from '../../src/web/chart/compose.ts'
import { parseMicros } from '../../src/web/chart/instant.ts'
import type { Reading } from '../../src/web/chart/readings.ts'
import { anomalyAt, baselines, iso, windowAt } from './fake-data.ts'

const QUARTER_MS = 900_000
const BEGIN_MS = 1_000 * QUARTER_MS

const none: Ingredients = {
  ...{ readings: [], windows: undefined, width: undefined, baselines: [], anomalies: [] },
  ...{ intervalS: 10, isEnergy: false },
}
const readingAt = (atMs: number, more: Partial<Reading> = {}): Reading => ({
  ...{ at: parseMicros(iso(atMs)), value: 5, quality: 'MEASURED', seq: null, ...more },
})
const quarter = (n: number) => windowAt('sim-0001', 'power_w', '15m', BEGIN_MS + n * QUARTER_MS)

describe('the picture of a chart', () => {
  test('of readings is broken at gaps and leaves out what is BAD', () => {
    const { line, panes } = compose({
      ...none,
      readings: [
        readingAt(0),
        readingAt(10_000, { quality: 'BAD', value: 9_999 }),
        readingAt(20_000, { value: 7 }),
        readingAt(60_000),
      ],
    })
    assert.deepEqual(line, { x: [0, 20_000, 40_000, 60_000], y: [5, 7, null, 5] })
    assert.deepEqual(panes, [])
  })

  test('of windows has their means in their middles, and the newest readings behind them', () => {
    const windows = [quarter(0), quarter(1), quarter(3)]
    const end = Date.parse(quarter(3).end)
    const readings = [readingAt(end - 10_000), readingAt(end), readingAt(end + 10_000)]
    const { line, tail, width } = compose({ ...none, windows, width: '15m', readings })
    const middle = (n: number) => BEGIN_MS + (n + 0.5) * QUARTER_MS
    assert.deepEqual(line.x, [middle(0), middle(1), middle(2), middle(3)])
    assert.deepEqual(line.y, [quarter(0).mean, quarter(1).mean, null, quarter(3).mean])
    assert.deepEqual(tail.x, [end, end + 10_000])
    assert.equal(width, '15m')
  })

  test('of windows of rare readings is broken only where a reading is missing', () => {
    const windows = [quarter(0), quarter(4), quarter(8)]
    const { line } = compose({ ...none, windows, width: '15m', intervalS: 3_600 })
    assert.ok(!line.y.includes(null))
  })

  test('of a register has bars of energy, with what was expected of as long a time', () => {
    const hour = { ...windowAt('m', 'energy_wh', '1h', BEGIN_MS), energyWh: 400 }
    const [baseline] = baselines('m', 'energy_wh', {
      ...{ from: BEGIN_MS, to: BEGIN_MS + QUARTER_MS, nowMs: BEGIN_MS + 2 * QUARTER_MS },
      width: '15m',
    })
    const picture = compose({
      ...{ ...none, windows: [hour], width: '1h', isEnergy: true },
      baselines: [{ ...baseline!, centre: 90, lower: 80, upper: 100 }],
      anomalies: [anomalyAt('m', BEGIN_MS)].map((one) => ({ ...one, state: 'active' as const })),
    })
    assert.ok(picture.isBars)
    assert.deepEqual(picture.line.y, [400])
    const [band] = picture.bands
    assert.deepEqual([band?.lower, band?.centre, band?.upper], [320, 360, 400])
    // The amount of a quarter is no height on bars of an hour.
    assert.equal(picture.marks[0]?.value, null)
  })

  test('marks what is anomalous, and nothing that was withdrawn', () => {
    const anomaly = anomalyAt('sim-0001', BEGIN_MS)
    const states = (['active', 'retracted'] as const).map((state) => ({ ...anomaly, state }))
    const { marks } = compose({ ...none, anomalies: states })
    assert.equal(marks.length, 1)
    assert.equal(marks[0]?.value, anomaly.value)
  })

  test('has a scale of what is seen alone, with zero where it is near', () => {
    const readings = [readingAt(0, { value: 1_000 }), readingAt(10_000), readingAt(20_000)]
    const picture = compose({ ...none, readings })
    assert.deepEqual(extentOf(picture, 5_000, 30_000), [5, 5])
    assert.equal(extentOf(picture, 50_000, 60_000), undefined)
    const far = [{ from: 0, to: 20_000, lower: -400, upper: 2_000, centre: 800 }]
    assert.deepEqual(extentOf({ ...picture, bands: far }, 0, 30_000), [0, 2_000])
    assert.deepEqual(valueRange(undefined, false), [0, 1])
    const [least, greatest] = valueRange([228, 232], false)
    assert.ok(least > 200 && greatest > 232)
    assert.equal(valueRange([100, 900], false)[0], 0)
    assert.equal(valueRange([300, 400], true)[0], 0)
    assert.ok(valueRange([-50, 400], true)[0] < -50)
  })
})
