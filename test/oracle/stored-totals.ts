import type { OracleTotal } from './totals.ts'

/** What QuestDB really holds of totals, and how far it is from what the oracle says. */
export type StoredTotal = OracleTotal & { readonly final: boolean; readonly expected: number }

const near = (a: number | null, b: number | null): boolean =>
  a === b || (a !== null && b !== null && Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a)))

/** At most 20 differences, in words. Keys as `oracleTotals` has them. */
export function totalsDifferences(
  expected: ReadonlyMap<string, OracleTotal>,
  stored: ReadonlyMap<string, StoredTotal>,
): readonly string[] {
  const found: string[] = []
  for (const [key, total] of expected) {
    const row = stored.get(key)
    if (row === undefined) {
      if (total.reporting > 0) found.push(`${key} is missing`)
      continue
    }
    for (const name of ['sum', 'mean', 'energyWh', 'reporting'] as const) {
      if (near(row[name], total[name])) continue
      found.push(`${key} ${name}: expected ${total[name]}, stored ${row[name]}`)
    }
    if (row.expected < row.reporting) found.push(`${key} expects fewer than report`)
  }
  for (const key of stored.keys()) if (!expected.has(key)) found.push(`${key} is extra`)
  return found.slice(0, 20)
}

export const totalsQuery = (prefix: string): string =>
  'select cast(ts as long), tenant, scope, scope_id, channel, width, sum, mean, energy_wh, ' +
  `reporting, expected, final from '${prefix}totals'`

/** The rows of `totalsQuery`. */
export function storedTotals(rows: readonly (readonly unknown[])[]): Map<string, StoredTotal> {
  return new Map(
    rows.map((row) => {
      const [sum, mean, energyWh, reporting, expected, final] = row.slice(6) as [
        number | null,
        number | null,
        number | null,
        number,
        number,
        boolean,
      ]
      return [row.slice(0, 6).join('|'), { sum, mean, energyWh, reporting, expected, final }]
    }),
  )
}
