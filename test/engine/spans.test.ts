import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { days, hours, minutes, seconds } from '../../src/kernel/time.ts'
import { calendar, fuse, hopping, topology, tumbling } from '../../src/engine/dsl.ts'
import type { Row } from '../../src/engine/memory-tables.ts'
import { QUALITIES } from '../../src/schemas/records.ts'
import type { Reading } from '../../src/schemas/records.ts'
import { TABLES } from '../../src/schemas/tables.ts'
import { windowCells } from '../../topologies/windows.ts'
import { localDay, localMonth } from '../oracle/local-calendar.ts'
import { driveAlong, sorted, STRAIGHT, WAYS } from '../support/drive.ts'
import type { Happening } from '../support/drive.ts'
import { aReading, winners } from '../support/readings.ts'
import { testRegistry } from '../support/registry.ts'

const QUARTER = minutes(15)

const spans = topology('spans', (t) => {
  const quarter = t
    .readings('measured', { disorder: 'registered', horizon: hours(1) })
    .window('quarter-hour', tumbling('15m', QUARTER))
  const all = {
    quarter,
    rolling: quarter.combine('combined-rolling', hopping('2h', hours(2), { advance: minutes(30) })),
    day: quarter.combine('combined-day', calendar('1d', 'day')),
    month: quarter.combine('combined-month', calendar('1mo', 'month')),
  }
  for (const [name, stream] of Object.entries(all)) {
    stream.toTable(name, TABLES.windows, windowCells)
  }
})
const pipeline = fuse('spans', [spans])

const utc = (text: string) => Date.parse(`${text}Z`) * 1_000

/** Days around the end of a month or a change of the clocks. */
const PLACES = [
  { zone: 'UTC', from: utc('2026-02-26T00:00') },
  { zone: 'Europe/Berlin', from: utc('2026-03-27T20:00') },
  { zone: 'Europe/Berlin', from: utc('2026-10-23T20:00') },
  { zone: 'Australia/Lord_Howe', from: utc('2026-04-02T10:00') },
  { zone: 'Asia/Kathmandu', from: utc('2026-05-29T18:00') },
  // Its clocks are put forward at midnight: a day begins at one.
  { zone: 'America/Santiago', from: utc('2026-09-04T00:00') },
]

const registryOf = (zone: string) => testRegistry([{ meterId: 'm', zone }])

/** The windows that hold a time: width, start, end. */
function windowsOf(time: number, zone: string): [string, number, number][] {
  const found: [string, number, number][] = []
  const [size, advance] = [hours(2), minutes(30)]
  for (let start = Math.floor(time / advance) * advance; start > time - size; start -= advance) {
    found.push(['2h', start, start + size])
  }
  found.push(['1d', ...localDay(zone, time)], ['1mo', ...localMonth(zone, time)])
  return found
}

const event = fc.record({
  // Mostly close together, with a pause of days at times.
  minute: fc.oneof({ weight: 9, arbitrary: fc.nat(60 * 72) }, fc.nat(60 * 24 * 9)),
  second: fc.constantFrom(0, 0, 1, 59),
  lateBy: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(55)),
  value: fc.integer({ min: -1_000, max: 1_000 }),
  seq: fc.nat(2),
  quality: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.nat(3)),
})
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never

function inOrderOfSending(events: readonly Event[], from: number): Reading[] {
  return events
    .toSorted((a, b) => a.minute + a.lateBy - (b.minute + b.lateBy))
    .map(({ minute, second, value, seq, quality }) => {
      const options = { seq, quality: QUALITIES[quality]! }
      return aReading('m', 'power_w', from + minutes(minute) + seconds(second), value, options)
    })
}

const round = (value: number) => Number(value.toPrecision(9))

/** Count, sum, least, most, first, last and deviation of each window, from all samples at once. */
function naive(readings: readonly Reading[], zone: string): Map<string, number[]> {
  const inside = new Map<string, number[]>()
  for (const { at, value } of winners(readings)) {
    for (const [width, start] of windowsOf(at, zone)) {
      const values = inside.get(`${width} ${start}`)
      if (values === undefined) inside.set(`${width} ${start}`, [value])
      else values.push(value)
    }
  }
  const stats = (values: number[]) => {
    const n = values.length
    const sum = values.reduce((a, b) => a + b)
    const squares = values.reduce((a, b) => a + (b - sum / n) ** 2, 0)
    const deviation = n < 2 ? NaN : Math.sqrt(squares / (n - 1))
    const [least, most] = [Math.min(...values), Math.max(...values)]
    return [n, sum, least, most, values[0]!, values[n - 1]!, round(deviation)]
  }
  return new Map([...inside].map(([id, values]) => [id, stats(values)]))
}

function found(rows: readonly Row[]): Map<string, number[]> {
  const names = ['count', 'sum', 'min', 'max', 'first', 'last', 'stddev']
  return new Map(
    rows
      .filter((row) => row['width'] !== '15m' && row['count'] !== 0)
      .map((row) => {
        const values = names.map((name) => row[name] as number)
        return [
          `${String(row['width'])} ${Number(row['ts'])}`,
          [...values.slice(0, 6), round(values[6]!)],
        ]
      }),
  )
}

const byId = (windows: Map<string, number[]>) => [...windows].sort(([a], [b]) => (a < b ? -1 : 1))

/** Closes every window: what comes last is BAD, and enters none. */
const closing = (from: number) => [
  aReading('m', 'power_w', from + days(90), 0, { seq: 0, quality: 'BAD' }),
]

for (const { zone, from } of PLACES) {
  test(`hopping windows, local days and months, ${zone} ${from}`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 200 }), async (events) => {
        const readings = inOrderOfSending(events, from)
        const log: Happening[] = [[...readings, ...closing(from)], { appendMicros: seconds(20) }]
        const driver = await driveAlong(log, STRAIGHT, registryOf(zone), pipeline)
        assert.deepEqual(byId(found(driver.rows('windows'))), byId(naive(taken(readings), zone)))
      }),
      { numRuns: 40 },
    )
  })
}

/** Without what came beyond the horizon. */
function taken(readings: readonly Reading[]): Reading[] {
  let newest = -Infinity
  return readings.filter(({ at }) => {
    const isLate = at < newest - minutes(2) - hours(1)
    newest = Math.max(newest, at)
    return !isLate
  })
}

/** One reading in 15 minutes of a power and of a register that counts 1 Wh a minute. */
function steady(zone: string, from: number, to: number): Reading[] {
  const made: Reading[] = []
  for (let at = from; at < to; at += QUARTER) {
    const register = aReading('m', 'energy_register_wh', at, (at - from) / minutes(1))
    const power = aReading('m', 'power_w', at, 100).measurements
    made.push({ ...register, measurements: [...power, ...register.measurements] })
  }
  return made
}

const LENGTHS: readonly (readonly [string, string, number])[] = [
  ['Europe/Berlin', '2026-03-28T23:00', 23],
  ['Europe/Berlin', '2026-10-24T22:00', 25],
  ['Australia/Lord_Howe', '2026-04-04T13:00', 24.5],
  ['Australia/Lord_Howe', '2026-10-03T13:30', 23.5],
  ['America/Santiago', '2026-09-06T04:00', 23],
  ['Asia/Kathmandu', '2026-06-01T18:15', 24],
]

for (const [zone, midnight, length] of LENGTHS) {
  test(`the day of ${zone} from ${midnight} on has ${length} hours`, async () => {
    const start = utc(midnight)
    const readings = steady(zone, start - days(1), start + days(3))
    const driver = await driveAlong([readings], STRAIGHT, registryOf(zone), pipeline)
    const rowOf = (channel: string) =>
      driver
        .rows('windows')
        .find((r) => r['ts'] === start && r['width'] === '1d' && r['channel'] === channel)!
    const { count, expected, completeness, sum } = rowOf('power_w')
    assert.deepEqual(
      [count, expected, completeness, sum],
      [4 * length, 4 * length, 1, 400 * length],
    )
    assert.equal(rowOf('energy_register_wh')['energy_wh'], 60 * length)
  })
}

test('days and months come out the same however the log is taken in', async () => {
  const zone = 'Europe/Berlin'
  const from = utc('2026-10-20T22:00')
  const log: Happening[] = []
  const all = steady(zone, from, from + days(16))
  for (let i = 0; i < all.length; i += 24) {
    // Each sixth portion lacks a reading, which comes with the next one.
    const portion = all.slice(i, i + 24).filter((_, k) => i % 144 !== 0 || k !== 23)
    if (i % 144 === 24) portion.splice(2, 0, all[i - 1]!)
    log.push(portion, { appendMicros: seconds(13) })
  }
  const registry = registryOf(zone)
  const straight = await driveAlong(log, STRAIGHT, registry, pipeline)
  const kept = (rows: readonly Row[]) => sorted(rows, ['revision'])
  const months = straight.rows('windows').filter((row) => row['width'] === '1mo')
  assert.deepEqual(
    months.map((row) => [row['ts'], row['channel']]),
    [
      [utc('2026-09-30T22:00'), 'energy_register_wh'],
      [utc('2026-09-30T22:00'), 'power_w'],
    ],
  )
  for (const way of WAYS) {
    const driver = await driveAlong(log, way, registry, pipeline)
    assert.deepEqual(kept(driver.rows('windows')), kept(straight.rows('windows')), way.name)
  }
})

test('a late reading restates its day and its month', async () => {
  const zone = 'Europe/Berlin'
  const midnight = utc('2026-10-31T23:00')
  const all = steady(zone, midnight - days(2), midnight + minutes(45))
  const late = all.splice(all.length - 4, 1)
  const log: Happening[] = [all, { appendMicros: seconds(11) }, late, { appendMicros: seconds(11) }]
  const driver = await driveAlong(log, STRAIGHT, registryOf(zone), pipeline)
  const told = (driver.emitted.get('windows') ?? [])
    .filter((row) => row['channel'] === 'power_w')
    .filter((row) => row['width'] === '1d' || row['width'] === '1mo')
    .filter((row) => row['ts'] !== midnight - days(2))
    .map((row) => [row['width'], row['count']])
  assert.deepEqual(told, [
    ['1d', 95],
    ['1mo', 191],
    ['1d', 96],
    ['1mo', 192],
  ])
})
