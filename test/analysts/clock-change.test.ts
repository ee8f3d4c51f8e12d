import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { applied, questdbUrl, testTables } from '../sinks/support.ts'
import { analystsUrl, onTables, psql } from '../support/psql.ts'
import { HOUR_MS, near } from './arithmetic.ts'
import { queriesOfPage } from './page.ts'
import { refreshViews } from './support.ts'

/** Days from the first to before the last, in which the clocks of the zone change. */
const CHANGES = [
  { zone: 'Europe/Berlin', first: '2026-03-28', last: '2026-03-31', hours: [24, 23, 24] },
  { zone: 'Europe/Berlin', first: '2026-10-24', last: '2026-10-27', hours: [24, 25, 24] },
  { zone: 'America/New_York', first: '2026-03-07', last: '2026-03-10', hours: [24, 23, 24] },
  { zone: 'Australia/Sydney', first: '2026-04-04', last: '2026-04-07', hours: [24, 25, 24] },
]

const { prefix, sql } = await testTables({ after })
const url = await analystsUrl(questdbUrl)

/** Energy of each hour, another one for each, so that an hour in the wrong day shows. */
function hoursAround(
  first: string,
): readonly { readonly atMs: number; readonly energyWh: number }[] {
  const beginMs = Date.parse(`${first}T00:00:00Z`) - 24 * HOUR_MS
  return Array.from({ length: 6 * 24 }, (_, i) => {
    return { atMs: beginMs + i * HOUR_MS, energyWh: 1_000 + i ** 2 }
  })
}

for (const [i, { zone, first, last, hours }] of CHANGES.entries()) {
  test(`days of ${zone} from ${first} have ${hours.join(', ')} hours, and theirs`, async () => {
    const meter = `m-${i}`
    const made = hoursAround(first)
    const rows = made.map(({ atMs, energyWh }) => {
      const ts = new Date(atMs).toISOString()
      return `('${ts}', 'demo', '${meter}', 'energy_register_wh', '1h', 60, ${energyWh})`
    })
    await sql.rows(
      `insert into '${prefix}windows'(ts, tenant, meter_id, channel, width, count, energy_wh) ` +
        `values ${rows.join()}`,
    )
    await applied(sql, `${prefix}windows`)
    await refreshViews(sql, prefix)

    const query = queriesOfPage()
      .get('Energy by local day')!
      .replaceAll('2026-10-24', first)
      .replaceAll('2026-10-28', last)
      .replaceAll('Europe/Berlin', zone)
      .replace('sim-0001', meter)
    const found = await psql(url, onTables(query, prefix))

    const calendar = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short' })
    const days = Map.groupBy(made, ({ atMs }) => calendar.format(atMs))
    const expected = [...days].filter(([day]) => day >= first && day < last)
    assert.deepEqual(
      found.map((row) => Number(row['hours'])),
      hours,
    )
    assert.equal(found.length, expected.length)
    for (const [d, [day, group]] of expected.entries()) {
      const wattHours = group.reduce((sum, { energyWh }) => sum + energyWh, 0)
      near(found[d]!['energy_kwh'], wattHours / 1_000, day)
      assert.equal(Date.parse(`${found[d]!['ts']!.replace(' ', 'T')}Z`), group[0]!.atMs, day)
    }
  })
}
