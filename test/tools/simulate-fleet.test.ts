import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import fc from 'fast-check'
import { inBulk } from '../../src/tools/simulate/bulk.ts'
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
} from '../../src/tools/simulate/fleet.ts'

const HOUR = 3_600
const DAY = 24 * HOUR
const START = Date.parse('2026-10-24T12:00:00Z') / 1_000

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
