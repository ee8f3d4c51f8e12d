import { oracleTotals } from '../oracle/totals.ts'
import { questdbQuery } from '../support/questdb.ts'
import type { Scene } from './scene.ts'

const SHOWN_MAX = 5

/** Doubles agree to nine digits, as in the comparison of the other tables. */
function same(a: number | null, b: unknown): boolean {
  if (a === null || typeof b !== 'number') return a === b
  return Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a), Math.abs(b))
}

/** O2 for results across meters: what the records between the stages come to is in the table. */
export async function compareTotals(
  scene: Scene,
): Promise<{ compared: number; missing: number; different: number }> {
  const expected = await oracleTotals(scene.log, scene.topics.contributions)
  const rows = await questdbQuery(
    scene.config.questdbUrl,
    `select cast(ts as long), tenant, scope, scope_id, channel, width, sum, mean, energy_wh,
     reporting from '${scene.config.tablePrefix}totals'`,
  )
  const stored = new Map(rows.map((cells) => [cells.slice(0, 6).join('|'), cells.slice(6)]))
  const missing = [...expected.keys()].filter((id) => !stored.has(id))
  const wrong = [...stored].filter(([id, [sum, mean, energyWh, reporting]]) => {
    const row = expected.get(id)
    if (row === undefined) return true
    const isSame = same(row.sum, sum) && same(row.mean, mean) && same(row.energyWh, energyWh)
    return !isSame || row.reporting !== reporting
  })
  for (const id of missing.slice(0, SHOWN_MAX)) scene.fail(`O2 totals: missing ${id}`)
  for (const [id, cells] of wrong.slice(0, SHOWN_MAX)) {
    const wanted = JSON.stringify(expected.get(id))
    scene.fail(`O2 totals: ${id}: expected ${wanted}, stored ${JSON.stringify(cells)}`)
  }
  return { compared: expected.size, missing: missing.length, different: wrong.length }
}
