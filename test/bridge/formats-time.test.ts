import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { LocalClock } from '../../src/bridge/formats/local-clock.ts'
import { parseTime, timeOfNumber } from '../../src/bridge/formats/time-text.ts'
import { hasCode } from '../../src/kernel/errors.ts'
import { formatMicros, type Micros } from '../../src/kernel/time.ts'

const iso = (text: string): string => formatMicros(parseTime(text))

describe('times as text', () => {
  const same: Readonly<Record<string, string>> = {
    '2026-11-20T00:00:00Z': '2026-11-20T00:00:00.000000Z',
    '2026-11-20t00:00:00z': '2026-11-20T00:00:00.000000Z',
    '2026-11-20 00:00:00Z': '2026-11-20T00:00:00.000000Z',
    '2026-11-20T00:00Z': '2026-11-20T00:00:00.000000Z',
    '2026-11-20T00:00:00.5Z': '2026-11-20T00:00:00.500000Z',
    '2026-11-20T00:00:00,25Z': '2026-11-20T00:00:00.250000Z',
    '2026-11-20T00:00:00.123456Z': '2026-11-20T00:00:00.123456Z',
    '2026-11-20T00:00:00.123456789Z': '2026-11-20T00:00:00.123456Z',
    '2026-11-20T00:00:00+01:00': '2026-11-19T23:00:00.000000Z',
    '2026-11-20T00:00:00+0100': '2026-11-19T23:00:00.000000Z',
    '2026-11-20T00:00:00+01': '2026-11-19T23:00:00.000000Z',
    '2026-11-20T00:00:00-03:30': '2026-11-20T03:30:00.000000Z',
    '2026-11-20T00:00:00-00:00': '2026-11-20T00:00:00.000000Z',
    '2026-11-20T24:00:00Z': '2026-11-21T00:00:00.000000Z',
    '2026-12-31T24:00Z': '2027-01-01T00:00:00.000000Z',
    '2024-02-29T12:00:00Z': '2024-02-29T12:00:00.000000Z',
    '2000-02-29T12:00:00Z': '2000-02-29T12:00:00.000000Z',
    // The leap second of 2016, in Greenwich and in Berlin.
    '2016-12-31T23:59:60Z': '2017-01-01T00:00:00.000000Z',
    '2016-12-31T23:59:60.5Z': '2017-01-01T00:00:00.500000Z',
    '2017-01-01T00:59:60+01:00': '2017-01-01T00:00:00.000000Z',
  }
  for (const [text, micros] of Object.entries(same)) {
    test(`${text} is ${micros}`, () => assert.equal(iso(text), micros))
  }

  test('any moment that Temporal writes is read back, to the microsecond', () => {
    const moment = fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n })
    const offset = fc.integer({ min: -14 * 60, max: 14 * 60 })
    fc.assert(
      fc.property(moment, offset, (micros, offsetMinutes) => {
        const sign = offsetMinutes < 0 ? '-' : '+'
        const size = Math.abs(offsetMinutes)
        const two = (n: number) => String(n).padStart(2, '0')
        const zone = `${sign}${two(Math.floor(size / 60))}:${two(size % 60)}`
        const local = new Temporal.Instant(micros * 1_000n).toZonedDateTimeISO(zone)
        fc.pre(local.year >= 1 && local.year <= 9_999)
        const text = local.toString({ timeZoneName: 'never', fractionalSecondDigits: 6 })
        // Far from 1970 doubles hold no single microseconds, and nobody measures there.
        fc.pre(Math.abs(Number(micros)) < Number.MAX_SAFE_INTEGER)
        assert.equal(parseTime(text), Number(micros), text)
      }),
      { numRuns: 2_000 },
    )
  })

  test('any text is read or refused by a reason', () => {
    const near = fc.stringMatching(
      /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?(\.\d{0,8})?(Z|[+-]\d{2}:?\d{2})?$/,
    )
    fc.assert(
      fc.property(fc.oneof(fc.string(), near), (text) => {
        try {
          assert.ok(Number.isFinite(parseTime(text)))
        } catch (error) {
          assert.ok(hasCode(error, 'payload.badTime') || hasCode(error, 'payload.noZone'), text)
        }
      }),
      { numRuns: 3_000 },
    )
  })
})

describe('times as numbers', () => {
  const at = Date.UTC(2026, 10, 20) * 1_000
  test('seconds, milliseconds and microseconds are told apart by their size', () => {
    for (const n of [at / 1e6, at / 1e3, at]) assert.equal(timeOfNumber(n), at)
    assert.equal(formatMicros(timeOfNumber(1698999954.77)), '2023-11-03T08:25:54.770000Z')
    assert.equal(timeOfNumber(1785138101000.5), 1785138101000500)
  })
  test('the three meet at 1973 without a gap between them', () => {
    assert.equal(timeOfNumber(1e8), 1e14)
    assert.equal(timeOfNumber(1e11), 1e14)
    assert.equal(timeOfNumber(1e14), 1e14)
  })
})

describe('clocks of a zone', () => {
  const berlin = new LocalClock('Europe/Berlin')
  const at = (clock: LocalClock, text: string, near: Micros, repeated = 'nearest' as const) =>
    formatMicros(parseTime(text, (civil, t) => clock.toMicros(civil, t, repeated, near)))

  test('winter and summer', () => {
    assert.equal(at(berlin, '2026-01-15T12:00:00', 0), '2026-01-15T11:00:00.000000Z')
    assert.equal(at(berlin, '2026-07-15T12:00:00.5', 0), '2026-07-15T10:00:00.500000Z')
  })
  test('a text that has a zone keeps it', () => {
    assert.equal(at(berlin, '2026-01-15T12:00:00-05:00', 0), '2026-01-15T17:00:00.000000Z')
  })
  test('what the clock leaves out in spring is refused', () => {
    const read = (text: string) => () => at(berlin, text, 0)
    assert.throws(read('2026-03-29T02:00:00'), { code: 'payload.noSuchLocalTime' })
    assert.throws(read('2026-03-29T02:59:59.999999'), { code: 'payload.noSuchLocalTime' })
    assert.equal(read('2026-03-29T01:59:59')(), '2026-03-29T00:59:59.000000Z')
    assert.equal(read('2026-03-29T03:00:00')(), '2026-03-29T01:00:00.000000Z')
  })
  test('what it shows twice in autumn is the one that is nearer to the receipt', () => {
    const text = '2026-10-25T02:30:00'
    const first = '2026-10-25T00:30:00.000000Z'
    const second = '2026-10-25T01:30:00.000000Z'
    assert.equal(at(berlin, text, parseTime('2026-10-25T00:30:02Z')), first)
    assert.equal(at(berlin, text, parseTime('2026-10-25T01:30:02Z')), second)
    const clock = (repeated: 'first' | 'second') =>
      formatMicros(parseTime(text, (civil, t) => berlin.toMicros(civil, t, repeated, 0)))
    assert.equal(clock('first'), first)
    assert.equal(clock('second'), second)
  })
  test('half an hour at Lord Howe, and an offset as a zone', () => {
    const lordHowe = new LocalClock('Australia/Lord_Howe')
    assert.throws(() => at(lordHowe, '2026-10-04T02:15:00', 0), { code: 'payload.noSuchLocalTime' })
    assert.equal(at(lordHowe, '2026-10-04T02:30:00', 0), '2026-10-03T15:30:00.000000Z')
    assert.equal(
      at(new LocalClock('+05:30'), '2026-01-01T05:30:00', 0),
      '2026-01-01T00:00:00.000000Z',
    )
  })

  test('every moment shows a time that is read as it, in any zone', () => {
    const zones = ['Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Africa/Monrovia', 'UTC']
    const clocks = new Map(zones.map((zone) => [zone, new LocalClock(zone)]))
    const second = fc.integer({ min: 1e8, max: 2e9 })
    fc.assert(
      fc.property(fc.constantFrom(...zones), second, (zone, epochSeconds) => {
        const moment = Temporal.Instant.fromEpochMilliseconds(epochSeconds * 1_000)
        const text = moment.toZonedDateTimeISO(zone).toPlainDateTime().toString()
        const near = epochSeconds * 1e6
        const clock = clocks.get(zone)!
        const read = parseTime(text, (civil, t) => clock.toMicros(civil, t, 'nearest', near))
        assert.equal(read, near, `${text} in ${zone}`)
      }),
      { numRuns: 1_000 },
    )
  })
})
