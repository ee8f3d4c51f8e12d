import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { byImportance, channelName, kindName, widthName } from '../../src/web/text/names.ts'
import * as numbers from '../../src/web/text/numbers.ts'
import * as times from '../../src/web/text/times.ts'
import { dayAfter, dayStart, instantOf, offsetMsAt } from '../../src/web/text/zone.ts'

const utc = (text: string) => Date.parse(text)
const BERLIN = 'Europe/Berlin'

describe('numbers', () => {
  test('have the prefix that makes them short', () => {
    const cases: [number | null, string, string][] = [
      [0, 'W', '0 W'],
      [-0.0001, 'W', '0.00 W'],
      [512.5, 'W', '512.5 W'],
      [999.94, 'W', '999.9 W'],
      [999.97, 'W', '1.00 kW'],
      [1_234, 'W', '1.23 kW'],
      [-4_500, 'W', '−4.50 kW'],
      [12.5, 'kW', '12.50 kW'],
      [2_500_000, 'Wh', '2.50 MWh'],
      [230.1, 'V', '230.1 V'],
      [21.5, 'C', '21.5 °C'],
      [50, 'Hz', '50.0 Hz'],
      [9_000, 'W', '9.00 kW'],
      [9.5, 'A', '9.50 A'],
      [0.98, '', '0.98'],
      [null, 'W', '–'],
    ]
    for (const [value, unit, text] of cases) assert.equal(numbers.quantityText(value, unit), text)
    assert.equal(numbers.quantityText(500, 'W', 12_000), '0.50 kW')
  })

  test('of registers keep every digit', () => {
    assert.deepEqual(numbers.registerQuantity(4_732_119, 'Wh'), {
      number: '4,732.119',
      unit: 'kWh',
    })
    assert.deepEqual(numbers.registerQuantity(12.5, 'kWh'), { number: '12.500', unit: 'kWh' })
  })

  test('of shares say 100 % only where nothing is missing', () => {
    assert.equal(numbers.percentText(1), '100 %')
    assert.equal(numbers.percentText(0.99999), '99.9 %')
    assert.equal(numbers.percentText(0.29), '29 %')
    assert.equal(numbers.percentText(null), '–')
  })

  test('of changes have their sign', () => {
    assert.equal(numbers.changeText(251.2), '+251 %')
    assert.equal(numbers.changeText(-55.5), '−56 %')
    assert.equal(numbers.changeText(null), '–')
  })

  test('of an axis have one prefix, and the decimals that tell them apart', () => {
    assert.deepEqual(numbers.scaleOf([0, 500, 1_000], 'W'), {
      texts: ['0.0', '0.5', '1.0'],
      unit: 'kW',
    })
    assert.deepEqual(numbers.scaleOf([229.5, 229.75], 'V').texts, ['229.50', '229.75'])
    assert.deepEqual(numbers.scaleOf([20, 21], 'C'), { texts: ['20', '21'], unit: '°C' })
    assert.deepEqual(numbers.scaleOf([5], '').texts, ['5'])
  })

  test('of lags have the unit that fits', () => {
    const text = (s: number | null) => Object.values(numbers.lagQuantity(s)).join(' ').trim()
    assert.deepEqual([0.34, 15, 300, 9_000, null].map(text), [
      '0.3 s',
      '15 s',
      '5.0 min',
      '2.5 h',
      '–',
    ])
  })
})

describe('times', () => {
  test('are those of the site, and name its zone', () => {
    const at = utc('2026-07-01T12:00:03Z')
    assert.equal(times.fullTime(at, BERLIN, at), 'Wed 1 Jul 14:00:03 CEST')
    assert.equal(times.fullTime(at, 'UTC', at), 'Wed 1 Jul 12:00:03 UTC')
    assert.equal(times.fullTime(at + 250, 'UTC', at), 'Wed 1 Jul 12:00:03.250 UTC')
    const later = utc('2027-01-10T00:00:00Z')
    assert.equal(times.fullTime(at, BERLIN, later), 'Wed 1 Jul 2026 14:00:03 CEST')
    assert.equal(times.fullTime(at, 'No/Where', at), 'Wed 1 Jul 12:00:03 UTC')
  })

  test('of the hour that comes twice are told apart', () => {
    const first = utc('2026-10-25T00:30:00Z')
    assert.match(times.fullTime(first, BERLIN, first), /02:30:00 CEST$/)
    assert.match(times.fullTime(first + 3_600_000, BERLIN, first), /02:30:00 CET$/)
    const quarter = 900_000
    const last = utc('2026-10-25T00:45:00Z')
    assert.equal(times.spanText(last, last + quarter, BERLIN), '02:45 CEST – 02:00 CET')
    assert.equal(times.spanText(first, first + quarter, BERLIN), '02:30 – 02:45 CEST')
  })

  test('are told from now on by whole units', () => {
    const now = 1_000_000_000
    const ago = (ms: number) => times.agoText(now - ms, now)
    assert.deepEqual([200, 3_900, 119_000, 7_300_000, 200_000_000, -60_000].map(ago), [
      'now',
      '3 s ago',
      '1 min ago',
      '2 h ago',
      '2 d ago',
      'in 1 min',
    ])
  })
})

describe('zones', () => {
  test('know the offset on both sides of a change of the clocks', () => {
    const change = utc('2026-03-29T01:00:00Z')
    assert.equal(offsetMsAt(BERLIN, change - 1), 3_600_000)
    assert.equal(offsetMsAt(BERLIN, change), 7_200_000)
    assert.equal(offsetMsAt('Asia/Kolkata', change), 5.5 * 3_600_000)
    assert.equal(offsetMsAt('America/St_Johns', utc('2026-01-01T00:00:00Z')), -3.5 * 3_600_000)
  })

  test('have days of 23 and of 25 hours', () => {
    const spring = dayStart(BERLIN, utc('2026-03-29T12:00:00Z'))
    assert.equal(new Date(spring).toISOString(), '2026-03-28T23:00:00.000Z')
    assert.equal(dayAfter(BERLIN, spring, 1) - spring, 23 * 3_600_000)
    const autumn = dayStart(BERLIN, utc('2026-10-25T12:00:00Z'))
    assert.equal(dayAfter(BERLIN, autumn, 1) - autumn, 25 * 3_600_000)
  })

  test('find the instant of every local time that there is', () => {
    const zones = fc.constantFrom(BERLIN, 'UTC', 'America/New_York', 'Australia/Lord_Howe')
    const instants = fc.integer({ min: utc('2020-01-01'), max: utc('2030-01-01') })
    fc.assert(
      fc.property(zones, instants, (zone, millis) => {
        const local = millis + offsetMsAt(zone, millis)
        const found = instantOf(zone, local)
        // Of a local time that comes twice the first is found.
        assert.equal(found + offsetMsAt(zone, found), local)
        assert.ok(found <= millis)
      }),
    )
  })
})

describe('names', () => {
  test('of channels are words, power first', () => {
    assert.deepEqual(
      ['voltage_v', 'a_c', 'energy_register_wh', 'power_w', 'em_0_power_w'].sort(byImportance),
      ['power_w', 'voltage_v', 'energy_register_wh', 'em_0_power_w', 'a_c'],
    )
    assert.equal(channelName('energy_register_wh'), 'Energy register')
    assert.equal(channelName('power_factor'), 'Power factor')
    assert.equal(channelName('_v'), '_v')
  })

  test('of kinds and widths are those of the field', () => {
    assert.equal(kindName('energy_spike'), 'Spike')
    assert.equal(kindName('flat_line'), 'Flat line')
    assert.deepEqual(['15m', '1h', '7d', 'odd'].map(widthName), ['15 min', '1 h', '7 d', 'odd'])
  })
})
