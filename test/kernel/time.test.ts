import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { days, formatMicros, hours, minutes, seconds, systemClock } from '../../src/kernel/time.ts'
import { wattHoursIn } from '../../src/kernel/units.ts'

test('durations are microseconds', () => {
  assert.equal(seconds(1), 1_000_000)
  assert.equal(minutes(1), seconds(60))
  assert.equal(hours(1), minutes(60))
  assert.equal(days(1), hours(24))
})

test('a time is written with six digits of its second', () => {
  assert.equal(formatMicros(0), '1970-01-01T00:00:00.000000Z')
  assert.equal(formatMicros(1_763_596_800_123_456), '2025-11-20T00:00:00.123456Z')
  assert.equal(formatMicros(1_000), '1970-01-01T00:00:00.001000Z')
  assert.equal(formatMicros(-1), '1969-12-31T23:59:59.999999Z')
})

test('times sort as their texts do, and are read back exactly', () => {
  const micros = fc.integer({ min: 0, max: Date.UTC(2255, 0, 1) * 1_000 })
  fc.assert(
    fc.property(micros, micros, (a, b) => {
      assert.equal(formatMicros(a) < formatMicros(b), a < b)
      const text = formatMicros(a)
      assert.equal(Date.parse(`${text.slice(0, 23)}Z`) * 1_000 + Number(text.slice(23, 26)), a)
    }),
  )
})

test("the system's clock is microseconds of now, and its timer never goes back", () => {
  const before = Date.now()
  const now = systemClock.nowMicros() / 1_000
  assert.ok(now >= before && now <= Date.now())
  const first = systemClock.monotonicMillis()
  assert.ok(systemClock.monotonicMillis() >= first)
})

test('energy units are those of watt-hours, and others are none', () => {
  assert.equal(wattHoursIn('Wh'), 1)
  assert.equal(wattHoursIn('kWh'), 1_000)
  assert.equal(wattHoursIn('MWh'), 1_000_000)
  for (const unit of ['W', '', 'kwh', 'toString']) assert.equal(wattHoursIn(unit), undefined, unit)
})
