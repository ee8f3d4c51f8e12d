import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import fc from 'fast-check'
import { Zone } from '../../src/tools/replay/zone.ts'
import { inBulk } from '../../src/tools/simulate/bulk.ts'
import {
  WEEKDAY,
  SUNDAY_OR_HOLIDAY,
  SATURDAY,
  localDay,
} from '../../src/tools/simulate/calendar.ts'
import {
  FAULT_NAMES,
  FAULTS,
  type FaultName,
  type FaultRates,
} from '../../src/tools/simulate/faults.ts'
import {
  Fleet,
  type FleetOptions,
  type FleetPublish,
  type TrueReading,
  meterIdOf,
} from '../../src/tools/simulate/fleet.ts'
import { Meter, shapesOf } from '../../src/tools/simulate/meter.ts'
import { Shape, dynamisation } from '../../src/tools/simulate/shapes.ts'

const HOUR = 3_600
const DAY = 24 * HOUR
const second = (iso: string) => Date.parse(iso) / 1_000
const START = second('2026-10-24T12:00:00Z')

function fleetOf(options: Partial<FleetOptions> = {}): Fleet {
  return new Fleet({
    ...{ seed: 7, meters: 12, intervalSeconds: 60, zone: 'Europe/Berlin', tenant: 'demo' },
    faults: {},
    ...options,
  })
}

const allFaults = (factor: number): FaultRates =>
  Object.fromEntries(FAULT_NAMES.map((name) => [name, Math.min(1, FAULTS[name].rate * factor)]))

interface Said {
  readonly at: string
  readonly seq?: number
  readonly power_w: number
}

const said = ({ payload }: FleetPublish) => [JSON.parse(payload) as Said | Said[]].flat()
const micros = (iso: string) => Math.round(Date.parse(iso) * 1_000)

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
    const { meters } = fleetOf({ meters: 300 })
    const homes = meters.filter(({ kind }) => kind === 'household')
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
  const zone = new Zone('Europe/Berlin')
  const meters = Array.from(
    { length: 30 },
    (_, i) => new Meter(i, meterIdOf(i), 3, shapesOf(3, zone), zone),
  )

  test('are of every kind, with some registers that come round', () => {
    const { meters: many } = fleetOf({ meters: 400 })
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
    const again = meters.map(({ index }) => new Meter(index, '', 3, shapesOf(3, zone), zone))
    for (const at of times) meters[5]!.valuesAt(at)
    for (const at of times.toSorted((a, b) => a - b)) {
      assert.deepEqual(again[5]!.valuesAt(at), meters[5]!.valuesAt(at))
    }
  })
})

describe('the fleet', () => {
  test('without faults publishes each reading once, at its time', () => {
    const fleet = fleetOf()
    const publishes = [...fleet.publishes(START, START + DAY)]
    assert.equal(publishes.length, 12 * 1_440)
    const truth = [...fleet.truth(START, START + DAY)]
    for (const [i, publish] of publishes.entries()) {
      const [reading] = said(publish)
      const wanted = truth[i]!
      assert.equal(publish.topic, `fleet/demo/${wanted.meterId}/readings`)
      assert.equal(micros(reading!.at), wanted.at)
      assert.equal(wanted.at, publish.second * 1_000_000)
      assert.equal(reading!.power_w, wanted.values.powerW)
    }
  })

  test('gives the same for a time in one piece or in many', () => {
    const fleet = fleetOf({ meters: 5, faults: allFaults(6) })
    const end = START + 8 * HOUR
    const whole = [...fleet.publishes(START, end)]
    assert.ok(whole.length > 5 * 8 * 60)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: START, max: end }), { maxLength: 4 }), (cuts) => {
        const times = [START, ...cuts.toSorted((a, b) => a - b), end]
        // Another fleet object, which has seen nothing.
        const other = fleetOf({ meters: 5, faults: allFaults(6) })
        const pieces = times.slice(1).flatMap((to, i) => [...other.publishes(times[i]!, to)])
        assert.deepEqual(pieces, whole)
      }),
      { numRuns: 12 },
    )
  })

  test('history in bulk says the same of each meter in the same order', () => {
    const fleet = fleetOf({ faults: allFaults(4) })
    const single = [...fleet.publishes(START, START + 6 * HOUR)]
    const bulk = [...inBulk(fleet.publishes(START, START + 6 * HOUR), 50)]
    assert.ok(bulk.length < single.length / 3)
    const perMeter = (publishes: readonly FleetPublish[]) =>
      Map.groupBy(publishes, ({ meterId }) => meterId)
    for (const [meterId, mine] of perMeter(single)) {
      const texts = (publishes: readonly FleetPublish[]) =>
        publishes.flatMap<unknown>((each) =>
          each.readings.length > 0 ? said(each) : [each.payload],
        )
      assert.deepEqual(texts(perMeter(bulk).get(meterId)!), texts(mine), meterId)
    }
    for (const each of bulk) {
      if (each.readings.length === 0) continue
      const times = said(each).map(({ at }) => micros(at))
      assert.deepEqual(
        times,
        each.readings.map(({ at }) => at),
      )
    }
  })

  test('what wins of all that was published is the truth', () => {
    const fleet = fleetOf({ meters: 20, faults: { ...allFaults(8), 'wild-clock': 0.3 } })
    const end = START + DAY
    const won = new Map<string, Said>()
    // Everything of the day has arrived seven hours after it.
    for (const publish of fleet.publishes(START, end + 7 * HOUR)) {
      if (publish.readings.length === 0) continue
      for (const reading of said(publish)) {
        const identity = `${publish.meterId} ${micros(reading.at)}`
        const before = won.get(identity)
        if (before === undefined || (reading.seq ?? -1) >= (before.seq ?? -1)) {
          won.set(identity, reading)
        }
      }
    }
    const met = new Set<FaultName>()
    for (const truth of fleet.truth(START, end)) {
      for (const fault of truth.faults) met.add(fault)
      const reading = won.get(`${truth.meterId} ${truth.at}`)
      if (truth.faults.includes('silent')) {
        assert.equal(reading, undefined)
        continue
      }
      assert.equal(reading?.power_w, truth.values.powerW, JSON.stringify(truth))
      assert.equal(reading.seq, truth.seq)
    }
    assert.deepEqual(
      FAULT_NAMES.filter((name) => !met.has(name)),
      [],
      'these did not happen',
    )
  })
})

describe('faults', () => {
  const truthOf = (faults: FaultRates, meters: number, days: number): TrueReading[] => [
    ...fleetOf({ meters, faults }).truth(START, START + days * DAY),
  ]
  const share = (rows: readonly TrueReading[], fault: FaultName) =>
    rows.filter(({ faults }) => faults.includes(fault)).length / rows.length

  test('of readings come as often as they are asked for', () => {
    for (const fault of ['duplicates', 'corrections', 'disorder', 'late', 'poison'] as const) {
      const got = share(truthOf({ [fault]: 0.1 }, 20, 1), fault)
      assert.ok(Math.abs(got - 0.1) < 0.015, `${fault}: ${got}`)
    }
  })

  test('of days hold for a while and end with their day', () => {
    for (const fault of ['stuck', 'silent', 'clock', 'wild-clock', 'backlog'] as const) {
      const rows = truthOf({ [fault]: 1 }, 5, 4)
      const got = share(rows, fault)
      assert.ok(got > 0.005 && got < 0.6, `${fault}: ${got}`)
    }
  })

  test('a backlog comes newest first, right after the outage', () => {
    const fleet = fleetOf({ meters: 3, faults: { backlog: 1 } })
    const arrays = [...fleet.publishes(START, START + 3 * DAY)].filter(
      ({ readings }) => readings.length > 1,
    )
    assert.ok(arrays.length >= 6)
    for (const publish of arrays) {
      const times = said(publish).map(({ at }) => micros(at))
      assert.deepEqual(
        times,
        times.toSorted((a, b) => b - a),
      )
      assert.equal(publish.second * 1_000_000 - times[0]!, 60_000_000, 'the last one before now')
      assert.ok(publish.second * 1_000_000 - times.at(-1)! <= 41 * 60_000_000)
    }
  })

  test('a correction is the higher seq, and disorder stays within two minutes', () => {
    const fleet = fleetOf({ meters: 3, faults: { corrections: 0.2, disorder: 0.3 } })
    let corrections = 0
    for (const publish of fleet.publishes(START, START + DAY)) {
      const [reading] = said(publish)
      const late = publish.second - micros(reading!.at) / 1_000_000
      if (reading!.seq === 1) corrections += 1
      else assert.ok(late <= 115 || late >= 60, `${late} s`)
      assert.ok(late >= 0 && late <= 1_915)
    }
    assert.ok(corrections > 600)
  })

  test('a fault leaves all readings that it does not meet as they are', () => {
    const plain = [...fleetOf().truth(START, START + 6 * HOUR)]
    const spiked = [...fleetOf({ faults: { spikes: 0.5 } }).truth(START, START + 6 * HOUR)]
    let met = 0
    for (const [i, row] of spiked.entries()) {
      if (row.faults.includes('spikes')) met += 1
      else assert.deepEqual(row, plain[i])
    }
    assert.ok(met > 0)
  })
})
