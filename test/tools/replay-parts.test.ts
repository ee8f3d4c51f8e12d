import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { hasCode } from '../../src/kernel/errors.ts'
import { CsvReader } from '../../src/tools/replay/csv.ts'
import { newCounts, numberText, RowReader } from '../../src/tools/replay/rows.ts'
import { shapeOf } from '../../src/tools/replay/shape.ts'
import { meterIdOf } from '../../src/tools/replay/source.ts'
import { TimeReader } from '../../src/tools/replay/time-reader.ts'
import { Zone } from '../../src/tools/replay/zone.ts'

function parsed(chunks: readonly string[], charactersMax = 1_000) {
  const rows: { fields: readonly string[]; line: number }[] = []
  const csv = new CsvReader(
    charactersMax,
    (fields, line) => rows.push({ fields, line }),
    (line) => {
      throw new Error(`too long ${line}`)
    },
  )
  for (const chunk of chunks) csv.push(chunk)
  csv.end()
  return rows
}

function cut(text: string, sizes: readonly number[]): string[] {
  const chunks: string[] = []
  let at = 0
  for (let i = 0; at < text.length; i += 1) {
    const size = sizes[i % sizes.length]!
    chunks.push(text.slice(at, at + size))
    at += size
  }
  return chunks
}

describe('CSV', () => {
  const field = fc.string({ unit: fc.constantFrom('a', '1', '"', ',', '\n', '\r', ' ', 'ü', '-') })

  test('gives back the fields that were written, whatever the chunks', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(field, { minLength: 1, maxLength: 5 }), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        (rows, sizes, lineEnd, endsWithLine) => {
          // Every field in quotes: none is ambiguous, and a row of one empty field is no empty
          // line.
          const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
          const lines = rows.map((fields) => fields.map(quoted).join(','))
          const text = lines.join(lineEnd) + (endsWithLine ? lineEnd : '')
          const got = parsed(cut(text, sizes))
          assert.deepEqual(
            got.map(({ fields }) => fields),
            rows,
          )
          let line = 1
          for (const [i, row] of got.entries()) {
            assert.equal(row.line, line)
            line += lines[i]!.split('\n').length
          }
        },
      ),
      { numRuns: 400 },
    )
  })

  test('reads plain files, with CRLF, empty lines, a byte order mark and no last line end', () => {
    const rows = parsed(['\ufefftimestamp,value\r\n', '\r\n2026,1', '\n\n2027,"2"\n2028,'])
    assert.deepEqual(rows, [
      { fields: ['timestamp', 'value'], line: 1 },
      { fields: ['2026', '1'], line: 3 },
      { fields: ['2027', '2'], line: 5 },
      { fields: ['2028', ''], line: 6 },
    ])
  })

  test('does not let a quote that nobody closes eat the memory', () => {
    assert.throws(() => parsed(['a,b\n"c', 'x'.repeat(600), 'x'.repeat(600)]), /too long 2/)
  })
})

describe('zones', () => {
  const zones = [
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Australia/Lord_Howe',
    'Asia/Kolkata',
    'Asia/Tehran',
    'Pacific/Apia',
    'America/Sao_Paulo',
    'Africa/Casablanca',
  ]
  // Minutes around clock changes are rare among all minutes: half of the times lie near one.
  const near = (zone: string) =>
    fc
      .tuple(fc.integer({ min: 1990, max: 2035 }), fc.integer({ min: -200, max: 200 }))
      .map(([year, minutes]) => {
        const start = Temporal.PlainDateTime.from({ year, month: 1, day: 1 })
        const change = start.toZonedDateTime(zone).getTimeZoneTransition('next')
        return (change?.toPlainDateTime() ?? start).add({ minutes })
      })
  const any = fc
    .integer({ min: Date.UTC(1975, 0) / 60_000, max: Date.UTC(2040, 0) / 60_000 })
    .map((minute) =>
      Temporal.Instant.fromEpochMilliseconds(minute * 60_000)
        .toZonedDateTimeISO('UTC')
        .toPlainDateTime(),
    )

  for (const name of zones) {
    test(`${name} is as Temporal has it`, () => {
      // One for all times, so that what it remembers is put to the test too.
      const zone = new Zone(name)
      fc.assert(
        fc.property(fc.oneof(any, near(name)), (local) => {
          const micros = local.toZonedDateTime('UTC').epochMilliseconds * 1_000
          const first = local.toZonedDateTime(name, { disambiguation: 'earlier' })
          const last = local.toZonedDateTime(name, { disambiguation: 'later' })
          const exists = first.toPlainDateTime().equals(local)
          const wanted = exists ? first.epochMilliseconds * 1_000 : NaN
          assert.equal(zone.toUtc(micros), wanted, local.toString())
          assert.equal(zone.isRepeated(micros), exists && !first.equals(last), local.toString())
          assert.equal(zone.offsetAt(wanted || 0), offsetIn(name, wanted || 0))
        }),
        { numRuns: 150 },
      )
    })
  }

  function offsetIn(name: string, utc: number): number {
    const at = Temporal.Instant.fromEpochMilliseconds(utc / 1_000)
    return at.toZonedDateTimeISO(name).offsetNanoseconds / 1_000
  }

  test('an unknown zone is named', () => {
    assert.throws(
      () => new Zone('Mars/Olympus'),
      (error) => hasCode(error, 'replay.unknownZone') && /Mars\/Olympus/.test(error.message),
    )
  })
})

describe('times', () => {
  const berlin = new Zone('Europe/Berlin')
  const read = (text: string) => {
    const times = new TimeReader(berlin)
    const at = times.read(text)
    if (Number.isNaN(at)) return times.refusal
    return new Date(at / 1_000).toISOString() + (times.isRepeated ? ' first' : '')
  }
  const cases: Readonly<Record<string, string>> = {
    '2026-01-15 12:00:00': '2026-01-15T11:00:00.000Z',
    '2026-07-15T12:00': '2026-07-15T10:00:00.000Z',
    '2026-07-15': '2026-07-14T22:00:00.000Z',
    '2026-07-15 12:00:00.5': '2026-07-15T10:00:00.500Z',
    '2026-07-15T12:00:00Z': '2026-07-15T12:00:00.000Z',
    '2026-07-15T12:00:00+05:30': '2026-07-15T06:30:00.000Z',
    '2026-07-15 12:00:00-0330': '2026-07-15T15:30:00.000Z',
    '2026-07-15 12:00:00 +02': '2026-07-15T10:00:00.000Z',
    '2026-07-15 24:00:00': '2026-07-15T22:00:00.000Z',
    '2026-03-29 02:30:00': 'no_such_local_time',
    '2026-03-29 02:30:00Z': '2026-03-29T02:30:00.000Z',
    '2026-10-25 02:30:00': '2026-10-25T00:30:00.000Z first',
    '2026-10-25 03:00:00': '2026-10-25T02:00:00.000Z',
    '2026-02-30 00:00:00': 'bad_time',
    '2026-13-01 00:00:00': 'bad_time',
    '2026-07-15 24:00:01': 'bad_time',
    '2026-07-15 12:60:00': 'bad_time',
    '2026-07-15 23:59:60': 'bad_time',
    '2026-07-15 12:00:00+25:00': 'bad_time',
    '15.07.2026 12:00': 'bad_time',
    '1784116800': 'bad_time',
    '': 'bad_time',
  }
  for (const [text, wanted] of Object.entries(cases)) {
    test(`'${text}' is ${wanted}`, () => assert.equal(read(text), wanted))
  }

  test('microseconds are kept, what is finer is cut', () => {
    const at = new TimeReader(berlin).read('2026-07-15T10:00:00.1234567Z')
    assert.equal(at, Date.UTC(2026, 6, 15, 10) * 1_000 + 123_456)
  })
})

describe('values', () => {
  test('a number is JSON of the same value; a blank is none; else it is refused', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = numberText(String(value))
        assert.equal(JSON.parse(text ?? 'null'), value === 0 ? Number(String(value)) : value)
      }),
    )
    const cases: Readonly<Record<string, string | undefined>> = {
      ...{ ' 512.50 ': '512.50', '+5': '5', '.5': '0.5', '5.': '5', '007': '7', '1E3': '1E3' },
      ...{ '': '', ' ': '', NA: '', 'n/a': '', NaN: '', null: '', None: '', '-': '' },
      ...{
        inf: undefined,
        '1e999': undefined,
        '1,5': undefined,
        '0x10': undefined,
        much: undefined,
      },
    }
    for (const [field, wanted] of Object.entries(cases)) {
      assert.equal(numberText(field), wanted, `'${field}'`)
    }
  })

  test('a row tells what is wrong with it, and gives the rest', () => {
    const counts = newCounts()
    const refused: string[] = []
    const rows = new RowReader({
      shape: shapeOf('f.csv', ['timestamp', 'value', 'temp_c', 'anomaly', 'kind'], 'power_w'),
      ...{ meterId: 'm-1', counts, repeatedMax: 10 },
      times: new TimeReader(new Zone('Europe/Berlin')),
      onRefused: (line, refusal, value) => refused.push(`${line} ${refusal} ${value}`),
    })
    const at = '2026-10-25 02:30:00'
    const read = (text: string, line: number) => rows.read(text.split(','), line)
    assert.equal(read(`${at},1,2,1,spike`, 2)?.members, '"power_w":1,"temp_c":2')
    assert.deepEqual(read(`${at},,3,0,`, 3)?.channels, ['temp_c'])
    assert.deepEqual(read(`${at},x,4,0,`, 4)?.channels, ['temp_c'])
    assert.equal(read(`${at},,NA,0,`, 5), undefined)
    assert.equal(read(`${at},1`, 6), undefined)
    assert.equal(read('yesterday,1,2,0,', 7), undefined)
    assert.deepEqual(refused, [
      '4 bad_value x',
      '6 bad_row 2 fields instead of 5',
      '7 bad_time yesterday',
    ])
    assert.equal(counts.readings, 3)
    assert.equal(counts.measurements, 4)
    assert.equal(counts.blanks, 3)
    assert.equal(counts.repeatedLocalTimes, 3)
    assert.equal(counts.sameIdentity, 2)
  })
})

describe('headers', () => {
  const refusedHeaders: Readonly<Record<string, RegExp>> = {
    'region,date': /no column timestamp/,
    'timestamp,anomaly': /no channel/,
    'timestamp,value,value': /'value' twice/,
    'timestamp,a/b': /'a\/b' as column 2/,
    'timestamp,value,power_w': /two columns the channel 'power_w'/,
    'meter_id,at,value': /no column channel/,
  }
  for (const [header, reason] of Object.entries(refusedHeaders)) {
    test(`'${header}' is refused`, () => {
      assert.throws(
        () => shapeOf('data.csv', header.split(','), 'power_w'),
        (error) => hasCode(error, 'replay.badHeader') && reason.test(error.message),
      )
    })
  }

  test('a meter has the name of its file', () => {
    const names = ['/a/b/shed.csv', 'shed.csv.gz', 'shed.CSV.GZ', 'shed'].map(meterIdOf)
    assert.deepEqual(names, ['shed', 'shed', 'shed', 'shed'])
    assert.equal(meterIdOf('x.csv.csv'), 'x.csv')
  })
})
