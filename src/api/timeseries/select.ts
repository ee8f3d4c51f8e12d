import type { Micros } from '../../kernel/time.ts'
import { quoted } from '../../sinks/questdb-http.ts'
import { type Range, sqlTime } from './times.ts'

/** SQL of pages. Every value of a request goes through `quoted` or is a checked number. */

export type Order = 'asc' | 'desc'

/** Where a row stands: its `ts`, then the columns of its table's key. */
export interface Place {
  readonly at: Micros
  readonly key: readonly string[]
}

export interface Selection {
  /** With its prefix. */
  readonly table: string
  readonly tenant: string
  readonly range: Range
  /** Column and value of what must be equal. */
  readonly filters: readonly (readonly [column: string, value: string])[]
}

export interface PageOf extends Selection {
  readonly columns: readonly string[]
  readonly key: readonly string[]
  readonly order: Order
  /** Only rows after this one. */
  readonly after: Place | undefined
  readonly limit: number
}

/** A table's name is `prefix` and ours: letters, digits, underscores. */
export const named = (name: string) => `"${name.replaceAll('"', '')}"`

/**
 * `tenant = 'demo' AND ts >= cast(0L as timestamp) AND ts < ... AND "channel" = 'power_w'`
 */
export function conditions({ tenant, range, filters }: Omit<Selection, 'table'>): string {
  return [
    `tenant = ${quoted(tenant)}`,
    `ts >= ${sqlTime(range.from)}`,
    `ts < ${sqlTime(range.to)}`,
    ...filters.map(([column, value]) => `${named(column)} = ${quoted(value)}`),
  ].join(' AND ')
}

/**
 * The rows of one page, in the order of `ts` and then of the key; `desc` is the exact reverse.
 *
 *     SELECT ... FROM "readings" WHERE tenant = 'demo' AND ts >= ... AND ts < ...
 *       AND (ts > :at OR (ts = :at AND ("meter_id" > 'm' OR ("meter_id" = 'm' AND ...))))
 *     ORDER BY ts, "meter_id"::varchar, "channel"::varchar LIMIT 101
 *
 * The key is compared as varchar: QuestDB's `>` of symbols goes by their UTF-8, and its order of
 * symbols by their UTF-16, which differ beyond U+FFFF. Backwards QuestDB would sort the whole
 * range, where forwards it stops after the page: so a first look finds how far back the page goes.
 */
export function pageSql(page: PageOf): string {
  const { table, columns, key, order, after, limit } = page
  const where = [conditions({ ...page, range: narrowed(page) })]
  if (after !== undefined) where.push(behind(after, key, order))
  const met = where.join(' AND ')
  const from = `FROM ${named(table)} WHERE ${met}`
  const edge =
    order === 'asc'
      ? ''
      : ` AND ts >= (SELECT min(ts) FROM (SELECT ts ${from} ORDER BY ts DESC LIMIT ${limit}))`
  const selected = columns.map((column) => (column === 'ts' ? 'cast(ts as long)' : named(column)))
  const way = order === 'asc' ? '' : ' DESC'
  const sorted = [`ts${way}`, ...key.map((column) => `${named(column)}::varchar${way}`)]
  return `SELECT ${selected.join(', ')} ${from}${edge} ORDER BY ${sorted.join(', ')} LIMIT ${limit}`
}

/** QuestDB goes by partition and by time to where the page begins. */
function narrowed({ range, order, after }: PageOf): Range {
  if (after === undefined) return range
  return order === 'asc' ? { ...range, from: after.at } : { ...range, to: after.at + 1 }
}

function behind({ at, key: values }: Place, key: readonly string[], order: Order): string {
  const than = order === 'asc' ? '>' : '<'
  // Inside out: the last column decides where all before it are equal.
  const ofKey = key.reduceRight((rest, column, i) => {
    const name = `${named(column)}::varchar`
    const value = quoted(values[i]!)
    const beyond = `${name} ${than} ${value}`
    return rest === '' ? beyond : `(${beyond} OR (${named(column)} = ${value} AND ${rest}))`
  }, '')
  return `(ts ${than} ${sqlTime(at)} OR (ts = ${sqlTime(at)} AND ${ofKey}))`
}
