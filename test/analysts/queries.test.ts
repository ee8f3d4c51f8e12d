import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import * as sums from './arithmetic.ts'
import { queriesOfPage } from './page.ts'
import { placeOf, startScene } from './scene.ts'
import { type Rows, totalsChecks } from './totals-checks.ts'

const { BERLIN_MIDNIGHTS, DAY_MS, HOUR_MS, MINUTE_MS, msOf, near, textOf } = sums
const scene = await startScene({ after })
const { meterIds, samples } = scene
const QUARTER_MS = 15 * MINUTE_MS
const FROM = Date.parse('2026-10-24T00:00:00Z')
const TO = Date.parse('2026-10-28T00:00:00Z')
const NOON = Date.parse('2026-10-28T12:00:00Z')

/** What each query of the page is held to. Each compares all of its rows. */
const CHECKS: Readonly<Record<string, (rows: Rows) => void | Promise<void>>> = {
  'Load curve of a meter'(rows) {
    const day = sums.between(samples('sim-0001', 'power_w'), FROM, FROM + DAY_MS)
    const means = sums.meansOf(day, QUARTER_MS)
    assert.deepEqual(
      rows.map(({ ts }) => msOf(ts!)),
      [...means.keys()],
    )
    for (const row of rows) {
      const start = msOf(row['ts']!)
      const values = sums.between(day, start, start + QUARTER_MS).map(({ value }) => value)
      near(row['power_w'], means.get(start)!, row['ts']!)
      near(row['min'], Math.min(...values), row['ts']!)
      near(row['max'], Math.max(...values), row['ts']!)
      near(row['completeness'], values.length / 15, row['ts']!)
    }
  },

  'Load curve of the fleet'(rows) {
    const until = FROM + 2 * DAY_MS
    const means = meterIds.map((id) =>
      sums.meansOf(sums.between(samples(id, 'power_w'), FROM, until), QUARTER_MS),
    )
    assert.equal(rows.length, 192)
    for (const row of rows) {
      const present = means.flatMap((curve) => curve.get(msOf(row['ts']!)) ?? [])
      assert.equal(Number(row['meters']), present.length)
      near(
        row['power_w'],
        present.reduce((sum, power) => sum + power),
        row['ts']!,
      )
    }
  },

  ...totalsChecks(scene),

  'Load profile by hour of the local day'(rows) {
    const power = sums.between(samples('sim-0001', 'power_w'), FROM, TO)
    // The page takes means of hours, which weigh alike; an hour is made of its quarters.
    const hours = [...sums.meansOf(power, HOUR_MS)]
    const profile = Map.groupBy(hours, ([start]) => sums.localHour(start))
    assert.equal(rows.length, 24)
    for (const { local_hour: hour, power_w: found } of rows) {
      near(found, sums.mean(profile.get(Number(hour))!.map(([, value]) => value)), hour!)
    }
  },

  'Top consumers'(rows) {
    const energies = meterIds.map((id) => {
      return { id, kwh: sums.energyKwh(samples(id, 'energy_register_wh'), FROM, TO) }
    })
    const top = energies.sort((a, b) => b.kwh - a.kwh).slice(0, 5)
    assert.deepEqual(
      rows.map((row) => row['meter_id']),
      top.map(({ id }) => id),
    )
    for (const [i, row] of rows.entries()) near(row['energy_kwh'], top[i]!.kwh, top[i]!.id)
  },

  'Energy by local day'(rows) {
    const register = samples('sim-0001', 'energy_register_wh')
    assert.deepEqual(
      rows.map((row) => row['hours']),
      ['24', '25', '24', '24'],
    )
    for (const [i, row] of rows.entries()) {
      const [from, to] = [BERLIN_MIDNIGHTS[i]!, BERLIN_MIDNIGHTS[i + 1]!]
      assert.equal(msOf(row['ts']!), from)
      near(row['energy_kwh'], sums.energyKwh(register, from, to), row['ts']!)
    }
  },

  'Energy by place and local day, each in its own zone'(rows) {
    const days = ['2026-10-24', '2026-10-25', '2026-10-26', '2026-10-27']
    const expected = ['north', 'south'].flatMap((place) =>
      days.map((day, i) => {
        const there = meterIds.filter((id) => placeOf(id) === place)
        const energies = there.map((id) => {
          const register = samples(id, 'energy_register_wh')
          return sums.energyKwh(register, BERLIN_MIDNIGHTS[i]!, BERLIN_MIDNIGHTS[i + 1]!)
        })
        return { place, day, kwh: energies.reduce((sum, kwh) => sum + kwh) }
      }),
    )
    assert.deepEqual(
      rows.map((row) => `${row['place']!} ${row['local_day']!.slice(0, 19)}`),
      expected.map(({ place, day }) => `${place} ${day} 00:00:00`),
    )
    for (const [i, { kwh, place }] of expected.entries()) near(rows[i]!['energy_kwh'], kwh, place)
  },

  'Readings with meter and place'(rows) {
    const noonMs = Date.parse('2026-10-24T12:00:00Z')
    const sent = meterIds.flatMap((id) =>
      sums.between(samples(id, 'power_w'), noonMs, noonMs + MINUTE_MS).map((s) => ({ id, ...s })),
    )
    const words = (id: string, value: number) => `${id} ${value} ${placeOf(id)} Europe/Berlin`
    assert.deepEqual(
      rows
        .map(
          (row) => `${row['meter_id']!} ${Number(row['value'])} ${row['place']!} ${row['zone']!}`,
        )
        .sort(),
      sent.map(({ id, value }) => words(id, value)).sort(),
    )
  },

  'Meters as they are now'(rows) {
    assert.deepEqual(
      rows,
      meterIds.map((id) => ({ meter_id: id, place: placeOf(id), zone: 'Europe/Berlin' })),
    )
  },

  'Voltage outside limits'(rows) {
    const strange = scene.laboratory.filter(({ value }) => value < 207 || value > 253)
    assert.equal(strange.length, 4)
    assert.deepEqual(
      rows.map((row) => [row['ts']!.slice(0, 19), row['meter_id'], Number(row['voltage_v'])]),
      strange.map(({ atMs, value }) => [textOf(atMs), 'lab-1', value]),
    )
  },

  'Voltage by EN 50160'(rows) {
    const all = [...meterIds.map((id) => ({ id, voltage: samples(id, 'voltage_v') }))]
    all.push({ id: 'lab-1', voltage: scene.laboratory })
    const expected = all.map(({ id, voltage }) => {
      const means = [...sums.meansOf(sums.between(voltage, FROM, TO), 10 * MINUTE_MS).values()]
      const within = means.filter((value) => value >= 207 && value <= 253).length
      return { id, intervals: means.length, pct: (100 * within) / means.length }
    })
    assert.equal(rows.length, expected.length)
    for (const { id, intervals, pct } of expected) {
      const row = rows.find((each) => each['meter_id'] === id)!
      // The last minutes of the laboratory's only day are windows that nothing has closed.
      const open = id === 'lab-1' ? 1 : 0
      assert.ok(
        intervals - Number(row['intervals']) <= open,
        `${id}: ${row['intervals']!} intervals`,
      )
      near(row['within_pct'], open === 1 ? 100 : pct, id)
    }
  },

  'Missing intervals'(rows) {
    const gaps = meterIds.flatMap((id) => {
      const times = sums.between(samples(id, 'power_w'), FROM, TO).map(({ atMs }) => atMs)
      return times.flatMap((to, i) => {
        const from = times[i - 1] ?? to
        return to - from > 3 * MINUTE_MS ? [`${id} ${textOf(from)} ${(to - from) / 1_000}`] : []
      })
    })
    assert.ok(gaps.length >= 3, 'the fleet has meters that were silent for a while')
    assert.deepEqual(
      rows
        .map((row) => `${row['meter_id']!} ${row['from_ts']!.slice(0, 19)} ${row['seconds']!}`)
        .sort(),
      gaps.sort(),
    )
    const seconds = rows.map((row) => Number(row['seconds']))
    assert.deepEqual(
      seconds,
      seconds.toSorted((a, b) => b - a),
    )
  },

  'Completeness by day'(rows) {
    const expected = [0, 1, 2, 3].flatMap((day) =>
      meterIds.map((id) => {
        const start = FROM + day * DAY_MS
        const count = sums.between(samples(id, 'power_w'), start, start + DAY_MS).length
        return [textOf(start), id, count, 1_440, Math.min(1, count / 1_440)]
      }),
    )
    assert.ok(expected.some(([, , count]) => Number(count) < 1_440))
    assert.deepEqual(
      rows.map(({ ts, meter_id: id, ...row }) => [
        ...[ts!.slice(0, 19), id],
        ...[row['count'], row['expected'], row['completeness']].map(Number),
      ]),
      expected,
    )
  },

  'Silent meters'(rows) {
    const series = meterIds.map((id) => ({ id, last: samples(id, 'power_w').at(-1)!.atMs }))
    series.push({ id: 'lab-1', last: Date.parse('2026-10-24T23:59:00Z') })
    const silent = series.filter(({ last }) => last < NOON - HOUR_MS)
    assert.deepEqual(
      rows.map((row) => [row['meter_id'], row['last_ts']!.slice(0, 19), Number(row['minutes'])]),
      silent
        .sort((a, b) => a.last - b.last)
        .map(({ id, last }) => [id, textOf(last), Math.floor((NOON - last) / MINUTE_MS)]),
    )
  },

  'Latest value of each series'(rows) {
    const found = new Map(rows.map((row) => [`${row['meter_id']!} ${row['channel']!}`, row]))
    for (const id of meterIds) {
      for (const channel of ['power_w', 'voltage_v', 'energy_register_wh'] as const) {
        const last = samples(id, channel).at(-1)!
        const row = found.get(`${id} ${channel}`)!
        assert.equal(row['ts']!.slice(0, 19), textOf(last.atMs))
        near(row['value'], last.value, `${id} ${channel}`)
        found.delete(`${id} ${channel}`)
      }
    }
    const others = [...found.values()].map((row) => row['channel'])
    assert.deepEqual([...new Set(others)], ['export_total_wh'])
  },

  'Quality of what comes'(rows) {
    const counts = meterIds.map((id) => sums.between(samples(id, 'power_w'), FROM, TO).length)
    const power = counts.reduce((sum, count) => sum + count)
    const found = new Map(
      rows.map((row) => [`${row['channel']!} ${row['quality']!}`, Number(row['readings'])]),
    )
    assert.equal(found.get('power_w MEASURED'), power)
    assert.equal(found.get('voltage_v MEASURED'), power + scene.laboratory.length)
    assert.equal(found.get('voltage_v BAD'), 1)
  },

  'Baseline and actual'(rows) {
    const means = [...sums.meansOf(samples('sim-0001', 'power_w'), QUARTER_MS)]
    assert.ok(rows.length > 50)
    for (const row of rows) {
      const start = msOf(row['ts']!)
      const i = means.findIndex(([ms]) => ms === start)
      const before = means.slice(i - 96, i).map(([, value]) => value)
      const centre = sums.median(before)
      near(row['power_w'], means[i]![1], row['ts']!)
      near(row['centre'], centre, row['ts']!)
      const [power, lower, upper] = ['power_w', 'lower', 'upper'].map((name) => Number(row[name]))
      assert.ok(lower! < centre && centre < upper!)
      assert.equal(row['outside'], power! < lower! || power! > upper! ? 't' : 'f')
    }
  },

  async 'Spikes by hour of the local day'(rows) {
    const spikes = (await activeSpikes()).filter(({ channel }) => channel === 'power_w')
    const hours = Map.groupBy(spikes, ({ ts }) => sums.localHour(Date.parse(String(ts))))
    assert.ok(spikes.length > 20, `only ${spikes.length} spikes`)
    assert.deepEqual(
      rows.map((row) => [Number(row['local_hour']), Number(row['spikes'])]),
      [...hours].map(([hour, group]) => [hour, group.length]).sort(([a], [b]) => a! - b!),
    )
  },

  async 'Leaders in anomalies'(rows) {
    const meters = [...Map.groupBy(await activeSpikes(), ({ meter_id: id }) => String(id))]
    const expected = meters.map(([id, spikes]) => [
      ...[id, spikes.length, spikes.filter(({ severity }) => severity === 'high').length],
      ...['score', 'run'].map((name) => Math.max(...spikes.map((spike) => Number(spike[name])))),
    ])
    const names = ['spikes', 'high', 'score_max', 'run_max']
    assert.deepEqual(
      rows.map((row) => [row['meter_id'], ...names.map((name) => Number(row[name]))]),
      expected.sort((a, b) => Number(b[1]) - Number(a[1]) || (a[0]! < b[0]! ? -1 : 1)),
    )
  },
}

async function activeSpikes() {
  const anomalies = await scene.table('anomalies')
  return anomalies.filter(({ ts, kind, state }) => {
    const ms = Date.parse(String(ts))
    return kind === 'energy_spike' && state === 'active' && ms >= FROM && ms < TO
  })
}

const queries = queriesOfPage()

test('each query of docs/analysts.md has a check, and each check a query', () => {
  assert.deepEqual([...queries.keys()].sort(), Object.keys(CHECKS).sort())
})

for (const [heading, query] of queries) {
  test(`docs/analysts.md: ${heading}`, async () => {
    const rows = await scene.ask(query)
    assert.ok(rows.length > 0, 'it answers nothing')
    await CHECKS[heading]!(rows)
  })
}
