import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { Zone } from '../../src/tools/replay/zone.ts'
import {
  WEEKDAY,
  SUNDAY_OR_HOLIDAY,
  SATURDAY,
  localDay,
} from '../../src/tools/simulate/calendar.ts'
import { meterIdOf } from '../../src/tools/simulate/fleet.ts'
import { Meter, shapesOf } from '../../src/tools/simulate/meter.ts'
import { Shape, dynamisation } from '../../src/tools/simulate/shapes.ts'

const HOUR = 3_600
const DAY = 24 * HOUR
const second = (iso: string) => Date.parse(iso) / 1_000
const START = second('2026-10-24T12:00:00Z')

function metersOf(count: number, seed: number): Meter[] {
  const zone = new Zone('Europe/Berlin')
  const make = (_: unknown, i: number) =>
    new Meter(i, meterIdOf(i), seed, shapesOf(seed, zone), zone)
  return Array.from({ length: count }, make)
}

describe('load profiles', () => {
  const utc = new Zone('UTC')

  test('a year of a profile is what BDEW says: 1,000 kWh, give or take the calendar', () => {
    for (const name of ['H25', 'G25', 'P25'] as const) {
      const shape = new Shape(name, 1, utc)
      let sum = 0
      for (
        let day = second('2023-01-01T00:00:00Z') / DAY;
        day < second('2024-01-01') / DAY;
        day++
      ) {
        sum += shape.sum(day)
      }
      assert.ok(Math.abs(sum - 1_000_000) < 30_000, `${name}: ${sum} Wh`)
    }
  })

  test('the first quarter of known days is the one of the tables', () => {
    // g25.csv: 00:00-00:15 of January, Saturday, holiday, weekday.
    const shape = new Shape('G25', 1, utc)
    const first = (iso: string) => shape.quarters(second(iso) / DAY)[0]
    assert.equal(first('2026-01-03T00:00:00Z'), 15.045)
    assert.equal(first('2026-01-04T00:00:00Z'), 14.658)
    assert.equal(first('2026-01-01T00:00:00Z'), 14.658)
    assert.equal(first('2026-01-05T00:00:00Z'), 14.832)
    // In Berlin that quarter is an hour earlier.
    const berlin = new Shape('G25', 1, new Zone('Europe/Berlin'))
    assert.equal(berlin.quarters(second('2026-01-04T00:00:00Z') / DAY)[92], 14.832)
  })

  test('the dynamisation is the polynomial of BDEW', () => {
    const d = 200
    const wanted = -3.92e-10 * d ** 4 + 3.2e-7 * d ** 3 - 7.02e-5 * d ** 2 + 0.0021 * d + 1.24
    assert.ok(Math.abs(dynamisation(d) - wanted) < 1e-9)
    assert.ok(dynamisation(1) > 1.2 && dynamisation(200) < 0.8)
  })

  test('holidays are Sundays', () => {
    const type = (iso: string) => localDay(Date.parse(`${iso}T00:00:00Z`) / 86_400_000).type
    const off = ['2026-04-03', '2026-04-06', '2026-05-14', '2026-05-25', '2026-12-25', '2025-04-21']
    for (const day of off) assert.equal(type(day), SUNDAY_OR_HOLIDAY, day)
    assert.equal(type('2026-10-03'), SUNDAY_OR_HOLIDAY)
    assert.equal(type('2026-10-10'), SATURDAY)
    assert.equal(type('2026-04-07'), WEEKDAY)
  })

  test('households of a fleet follow their profile', () => {
    const homes = metersOf(300, 7).filter(({ kind }) => kind === 'household')
    const shape = new Shape('H25', 7, new Zone('Europe/Berlin'))
    // A Wednesday: the night, the morning, the evening.
    const day = second('2026-01-14T00:00:00Z')
    const ofFleet = [2, 7, 18].map((hour) => {
      let sum = 0
      for (let minute = 0; minute < 60; minute += 1) {
        for (const home of homes) sum += home.valuesAt(day + hour * HOUR + minute * 60).powerW
      }
      return sum
    })
    const ofShape = [2, 7, 18].map((hour) =>
      shape
        .quarters(day / DAY)
        .slice(hour * 4, hour * 4 + 4)
        .reduce((a, b) => a + b),
    )
    for (const i of [0, 1]) {
      const got = ofFleet[i]! / ofFleet[i + 1]!
      const wanted = ofShape[i]! / ofShape[i + 1]!
      // Cars are charged in the evening, beside the profile.
      assert.ok(Math.abs(got / wanted - 1) < 0.35, `${got} is far from ${wanted}`)
    }
  })
})

describe('meters', () => {
  const meters = metersOf(30, 3)

  test('are of every kind, with some registers that come round', () => {
    const many = metersOf(400, 7)
    const share = (is: (meter: Meter) => boolean) => many.filter(is).length / many.length
    assert.ok(Math.abs(share(({ kind }) => kind === 'household') - 0.65) < 0.08)
    assert.ok(Math.abs(share(({ kind }) => kind === 'commerce') - 0.2) < 0.06)
    assert.ok(Math.abs(share(({ kind }) => kind === 'solar') - 0.15) < 0.06)
    assert.ok(share(({ rolloverAtWh }) => rolloverAtWh !== undefined) > 0.01)
  })

  test('register and power agree: the one is the integral of the other', () => {
    const hours = 30
    for (const meter of meters) {
      let whOfPower = 0
      for (let i = 0; i < hours * 60; i += 1)
        whOfPower += meter.valuesAt(START + i * 60).powerW / 60
      const [from, to] = [START, START + hours * HOUR].map((at) => meter.valuesAt(at))
      const turn = meter.rolloverAtWh ?? 0
      const taken = (to!.registerWh - from!.registerWh + turn) % (turn || Infinity)
      const given = Number.isNaN(to!.exportWh) ? 0 : to!.exportWh - from!.exportWh
      // Registers show whole Wh; power is rounded to 0.1 W, 1,800 times.
      assert.ok(Math.abs(whOfPower - (taken - given)) < 4, `${meter.meterId}: ${whOfPower} Wh`)
    }
  })

  test('registers only grow, over weeks, days and clock changes', () => {
    for (const meter of meters.filter(({ rolloverAtWh }) => rolloverAtWh === undefined)) {
      let before = meter.valuesAt(START)
      for (let at = START; at < START + 10 * DAY; at += 437) {
        const now = meter.valuesAt(at)
        assert.ok(now.registerWh >= before.registerWh)
        assert.ok(Number.isNaN(now.exportWh) || now.exportWh >= before.exportWh)
        before = now
      }
    }
  })

  test('what a meter shows at a time does not depend on what was asked before', () => {
    const times = Array.from({ length: 200 }, (_, i) => START + ((i * 7_919) % 400) * 1_313)
    const again = metersOf(6, 3)
    for (const at of times) meters[5]!.valuesAt(at)
    for (const at of times.toSorted((a, b) => a - b)) {
      assert.deepEqual(again[5]!.valuesAt(at), meters[5]!.valuesAt(at))
    }
  })
})
