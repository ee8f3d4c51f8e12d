import assert from 'node:assert/strict'
import * as sums from './arithmetic.ts'
import { placeOf } from './scene.ts'
import type { Scene } from './scene.ts'

const { DAY_MS, msOf, near } = sums
const QUARTER_MS = 15 * sums.MINUTE_MS
const FROM = Date.parse('2026-10-24T00:00:00Z')

export type Rows = readonly Record<string, string>[]

/** What the queries of totals are held to. */
export function totalsChecks(
  scene: Scene,
): Readonly<Record<string, (rows: Rows) => void | Promise<void>>> {
  const { meterIds, samples } = scene
  return {
    'Load of the fleet, summed as it comes'(rows) {
      const until = FROM + 2 * DAY_MS
      const means = meterIds.map((id) =>
        sums.meansOf(sums.between(samples(id, 'power_w'), FROM, until), QUARTER_MS),
      )
      assert.equal(rows.length, 192)
      for (const row of rows) {
        const present = means.flatMap((curve) => curve.get(msOf(row['ts']!)) ?? [])
        assert.equal(Number(row['reporting']), present.length)
        assert.ok(Number(row['expected']) >= present.length)
        near(
          row['power_w'],
          present.reduce((sum, power) => sum + power),
          row['ts']!,
        )
      }
      assert.ok(rows.every(({ final }) => final === 't'))
    },

    async 'Energy of places by hour'(rows) {
      const windows = (await scene.table('windows')).filter(({ ts, channel, width }) => {
        const ms = Date.parse(String(ts))
        const ofDay = ms >= FROM && ms < FROM + DAY_MS
        return channel === 'energy_register_wh' && width === '1h' && ofDay
      })
      assert.equal(rows.length, 48)
      for (const { ts, place, energy_kwh: energy } of rows) {
        const own = windows.filter(
          (one) =>
            placeOf(String(one['meter_id'])) === place &&
            msOf(ts!) === Date.parse(String(one['ts'])),
        )
        assert.ok(own.length > 0)
        const wh = own.reduce((sum, one) => sum + Number(one['energy_wh']), 0)
        near(energy, wh / 1_000, `${ts!} ${place!}`)
      }
    },
  }
}
