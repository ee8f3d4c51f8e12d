import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { days, formatMicros, hours, minutes, type Micros } from '../../../src/kernel/time.ts'
import { random } from '../../support/random.ts'
import { START } from '../../support/readings.ts'
import { type Row, stage } from './stage.ts'

// Goal: a chart has at most the points that are asked for, of one width, each computed here again
// from the raw rows of 1h (windows) and 15m (baselines).

const WIDTHS = { '1m': minutes(1), '15m': minutes(15), '1h': hours(1) } as const
const HELD = new Map<string, number>(Object.entries(WIDTHS))
const WIDER = ['2h', '3h', '6h', '12h', '1d', '2d', '7d', '14d', '30d', '60d', '120d']
const unitOf = (unit: string) => ({ m: minutes(1), h: hours(1), d: days(1) })[unit]!
const micros = (width: string) => Number(width.slice(0, -1)) * unitOf(width.slice(-1))

const next = random(11)

function aWindow(ts: Micros, width: string, i: number): Row {
  const isEmpty = i % 19 === 0
  const values = { min: next() * 100, max: 200 + next(), first: next() * 150, last: next() * 150 }
  const count = isEmpty ? 0 : 1 + Math.floor(next() * 60)
  const sum = next() * 1e4 - 2e3
  return {
    ...{ ts, tenant: 'demo', meter_id: 'm-1', channel: 'power_w', width, count, revision: i },
    ...(i % 23 === 0 ? {} : { expected: 60, completeness: Math.min(1, count / 60) }),
    ...(isEmpty ? {} : { ...values, sum, mean: sum / count, stddev: next() }),
    ...(i % 5 === 0 ? {} : { energy_wh: next() * 1e3 }),
    estimated: i % 31 === 0,
  }
}

/** Windows of one width, with gaps. */
function windows(width: keyof typeof WIDTHS, count: number): readonly Row[] {
  return Array.from({ length: count }, (_, i) =>
    aWindow(START + i * WIDTHS[width], width, i),
  ).filter((_, i) => i % 7 !== 3 && (i < 400 || i > 900))
}

function baselines(channel: string): readonly Row[] {
  return Array.from({ length: 3_000 }, (_, i) => {
    const series = { tenant: 'demo', meter_id: 'm-1', channel, width: '15m', kind: 'rolling' }
    const centre = next() * 100
    const bounds = { centre, lower: centre - next(), upper: centre + next() }
    return { ts: START + i * minutes(15), ...series, ...bounds, n: 24 + (i % 73), revision: i }
  }).filter((_, i) => i % 9 !== 0)
}

const ROWS = [...windows('1m', 600), ...windows('15m', 2_000), ...windows('1h', 130 * 24)]
const BASELINES = [...baselines('power_w'), ...baselines('energy_register_wh')]
const api = await stage({ after })
await api.write('windows', [
  ...ROWS,
  ...windows('1h', 2_000).map((row): Row => ({ ...row, channel: 'voltage_v' })),
  ...windows('1h', 2_000).map((row): Row => ({ ...row, tenant: 'other' })),
])
await api.write('baselines', BASELINES)

type Item = Readonly<Record<string, unknown>>

/** Equal but for the last bits of sums in another order. */
function assertClose(found: readonly Item[], wanted: readonly Item[], what: string): void {
  const rounded = (items: readonly Item[]) =>
    items.map((item) =>
      Object.fromEntries(
        Object.entries(item).map(([name, value]) => {
          return [name, typeof value === 'number' ? Number(value.toPrecision(9)) : value]
        }),
      ),
    )
  assert.deepEqual(rounded(found), rounded(wanted), what)
}

const orNull = (value: Row[string] | undefined) => value ?? null

function shown(row: Row): Item {
  const { ts, width } = row
  return {
    ...{ meterId: row['meter_id'], channel: row['channel'], width },
    start: formatMicros(Number(ts)),
    end: formatMicros(Number(ts) + HELD.get(String(width))!),
    ...{ count: row['count'], expected: orNull(row['expected']) },
    ...{ completeness: orNull(row['completeness']), sum: orNull(row['sum']) },
    ...{ min: orNull(row['min']), max: orNull(row['max']), mean: orNull(row['mean']) },
    ...{ first: orNull(row['first']), last: orNull(row['last']), stddev: orNull(row['stddev']) },
    ...{ energyWh: orNull(row['energy_wh']), estimated: row['estimated'] },
    revision: row['revision'],
  }
}

/** Rows by the wide window that holds their start, of those windows that begin in the range. */
function grouped(rows: readonly Row[], width: string, from: Micros, to: Micros) {
  const step = micros(width)
  const groups = new Map<Micros, Row[]>()
  for (const row of rows) {
    const start = Math.floor(Number(row['ts']) / step) * step
    if (start >= from && start < to) groups.set(start, [...(groups.get(start) ?? []), row])
  }
  return [...groups].sort(([a], [b]) => a - b)
}

function combined(width: string, [start, rows]: readonly [Micros, readonly Row[]]): Item {
  const known = (name: string) => {
    return rows.map((row) => row[name]).filter((value) => typeof value === 'number')
  }
  const total = (name: string) => {
    const values = known(name)
    return values.length === 0 ? null : values.reduce((a, b) => a + b, 0)
  }
  const count = total('count')!
  const expecteds = known('expected')
  const expected =
    expecteds.length === 0
      ? null
      : (total('expected')! / expecteds.length) * (micros(width) / hours(1))
  const has = known('min').length > 0
  return {
    ...{ meterId: 'm-1', channel: 'power_w', width },
    ...{ start: formatMicros(start), end: formatMicros(start + micros(width)) },
    ...{ count, expected, completeness: expected && Math.min(1, count / expected) },
    sum: total('sum'),
    min: has ? Math.min(...known('min')) : null,
    max: has ? Math.max(...known('max')) : null,
    mean: count === 0 ? null : total('sum')! / count,
    ...{ first: known('first').at(0) ?? null, last: known('last').at(-1) ?? null, stddev: null },
    energyWh: total('energy_wh'),
    estimated: rows.some((row) => row['estimated'] === true),
    revision: Math.max(...known('revision')),
  }
}

test('a chart of windows: at most N points, right ones, for ranges of any length', async () => {
  const seen = new Set<string>()
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 8 * 24 * 60 }),
      // From minutes to half a year, as likely short as long.
      fc.noBias(fc.integer({ min: 0, max: 1_800 })),
      fc.oneof(fc.integer({ min: 2, max: 20 }), fc.noBias(fc.integer({ min: 2, max: 300 }))),
      fc.boolean(),
      async (offset, length, points, isBackwards) => {
        const from = START + minutes(offset) - hours(20) + 7
        const to = from + Math.ceil(minutes(1) * 2 ** (length / 100))
        const order = isBackwards ? 'desc' : 'asc'
        const { status, body } = await api.get('/api/windows', {
          ...{ meterId: 'm-1', channel: 'power_w', points, order },
          ...{ from: formatMicros(from), to: formatMicros(to) },
        })
        assert.equal(status, 200, body.detail)
        const { items, width } = body
        seen.add(width)
        const all = [...HELD.keys(), ...WIDER]
        const fitting = all.find((one) => (to - from) / micros(one) <= points)
        assert.equal(width, fitting, `${points} points of ${(to - from) / hours(1)} h`)
        assert.ok(items.length <= points, `${items.length} points, and ${points} were asked for`)
        const wanted = HELD.has(width)
          ? ROWS.filter((row) => row['width'] === width)
              .filter(({ ts }) => Number(ts) >= from && Number(ts) < to)
              .map(shown)
          : grouped(
              ROWS.filter((row) => row['width'] === '1h'),
              width,
              from,
              to,
            ).map((group) => combined(width, group))
        assertClose(isBackwards ? items.reverse() : items, wanted, width)
      },
    ),
    { numRuns: 150 },
  )
  assert.ok(seen.size > 10, `of all widths only ${[...seen].join()} were seen`)
})

test('a chart of baselines: means of means, sums of what a register was to count', async () => {
  const [from, to] = [START + hours(1), START + days(14)]
  for (const [points, width] of [
    [2_000, '15m'],
    [400, '1h'],
    [56, '6h'],
    [14, '1d'],
    [3, '7d'],
  ] as const) {
    for (const channel of ['power_w', 'energy_register_wh']) {
      const { body } = await api.get('/api/baselines', {
        ...{ meterId: 'm-1', channel, points, from: formatMicros(from), to: formatMicros(to) },
      })
      assert.equal(body.width, width)
      assert.ok(body.items.length <= points)
      const scale = channel === 'power_w' ? 1 : micros(width) / minutes(15)
      const ofSeries = BASELINES.filter((row) => row['channel'] === channel)
      const wanted = grouped(ofSeries, width, from, to).map(([start, rows]) => {
        const mean = (name: string) =>
          (scale * rows.reduce((sum, row) => sum + Number(row[name]), 0)) / rows.length
        return {
          ...{ meterId: 'm-1', channel, width, kind: 'rolling', start: formatMicros(start) },
          ...{ centre: mean('centre'), lower: mean('lower'), upper: mean('upper') },
          n: Math.min(...rows.map((row) => Number(row['n']))),
          revision: Math.max(...rows.map((row) => Number(row['revision']))),
        }
      })
      assertClose(body.items, wanted, `${channel} ${width}`)
    }
  }
})

test('a width that is asked for is kept where it fits, else one that does is named', async () => {
  const series = { meterId: 'm-1', channel: 'power_w', from: formatMicros(START) }
  const day = { ...series, to: formatMicros(START + days(1)) }
  const kept = await api.get('/api/windows', { ...day, points: 100, width: '6h' })
  assert.equal(kept.body.width, '6h')
  assert.equal(kept.body.items.length, 4)
  const refused = await api.get('/api/windows', { ...day, points: 100, width: '1m' })
  assert.equal(refused.status, 400)
  assert.equal(refused.body.field, 'width')
  assert.match(refused.body.detail, /^width is '1m': it makes 1440 points of this time.*give 15m/)
  const unknown = await api.get('/api/windows', { ...day, points: 100, width: '5h' })
  assert.match(unknown.body.detail, /^width is '5h': for a chart give one of 1m, 15m, 1h, 2h/)
  // From the first day that can be told to the last, there is a width for two points.
  const all = { ...series, from: '1970-01-01T00:00:00Z', to: '2255-01-01T00:00:00Z' }
  const whole = await api.get('/api/windows', { ...all, points: 2 })
  assert.equal(whole.status, 200, whole.body.detail)
  assert.ok(whole.body.items.length <= 2)
})
