import type { Row } from '../../src/engine/memory-tables.ts'
import type { StoredRows } from './stored.ts'

type Fields = Record<string, number | string | boolean | null>

/** Rows in memory in the form in which the oracle's comparison reads QuestDB. */
export function memoryRows(rowsOf: (table: string) => readonly Row[]): StoredRows {
  const names = new Map<string, string>()
  const camel = (name: string) => {
    let made = names.get(name)
    if (made === undefined) {
      made = name.replace(/_([a-z])/g, (_, c: string) => c.toUpperCase())
      names.set(name, made)
    }
    return made
  }
  const fields = (row: Row): Fields =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        camel(name),
        value === undefined || Number.isNaN(value) ? null : value,
      ]),
    )
  const table = (name: string, keys: readonly string[]) =>
    new Map(
      rowsOf(name).map((row) => [
        [
          row['tenant'],
          row['meter_id'],
          row['channel'],
          row['ts'],
          ...keys.map((k) => row[k]),
        ].join('|'),
        fields(row),
      ]),
    )
  return {
    readings: table('readings', []),
    windows: table('windows', ['width']),
    baselines: table('baselines', ['width', 'kind']),
    anomalies: table('anomalies', ['width', 'kind']),
  }
}
