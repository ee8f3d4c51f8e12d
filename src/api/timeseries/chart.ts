import type { FastifyRequest } from 'fastify'
import { quoted } from '../../sinks/questdb-http.ts'
import { apiErrors } from '../errors.ts'
import { tenantOf } from '../plugins/principal.ts'
import { shownValue } from '../plugins/validation-words.ts'
import type { Csv } from './csv.ts'
import type { Filters, RowsQuery, Store } from './rows.ts'
import { type Selection, conditions, named, pageSql } from './select.ts'
import { columnsOf, itemMaker, type ShownTable } from './table.ts'
import { type Range, rangeOf } from './times.ts'
import { type Ladder, chartWidth, widthMicros } from './widths.ts'

/** What a table is charted by. */
export interface Charted<Item> {
  readonly table: ShownTable<Item>
  readonly ladder: Ladder
  /**
   * How rows of the ladder's base become one that is `times` as wide: an aggregate for each column
   * that is not the same in all of them.
   */
  readonly combine: (times: number) => Readonly<Record<string, string>>
}

export interface ChartQuery extends RowsQuery {
  readonly meterId: string
  readonly channel: string
  readonly width: string | undefined
  readonly points: number
}

export interface Chart<Item> {
  readonly items: Item[]
  readonly next: null
  readonly width: string
}

/**
 * A chart is of one series.
 *
 * @throws api.badQuery
 */
export function chartQuery(
  query: RowsQuery & { meterId?: string; channel?: string; width?: string },
  points: number,
): ChartQuery {
  const { meterId, channel, width, cursor, ...rest } = query
  const needed = (field: string) => {
    const remedy = 'a chart (points) is of one meter and one channel; give both'
    return apiErrors.badQuery({ field, value: '', remedy })
  }
  if (meterId === undefined) throw needed('meterId')
  if (channel === undefined) throw needed('channel')
  if (cursor !== undefined) {
    const remedy = 'a chart (points) has no pages; leave one of both out'
    throw apiErrors.badQuery({ field: 'cursor', value: shownValue(cursor), remedy })
  }
  return { ...rest, meterId, channel, width, points }
}

/**
 * At most `points` windows whose start lies in the query's range, all of one width. Where none that
 * is stored is wide enough, several are combined, on boundaries that are multiples of the width
 * since 1970 in UTC; such a window is whole, wherever the range ends.
 *
 * @throws api.badQuery, and what the gate throws.
 */
export async function chartOf<Item extends object>(
  store: Store,
  charted: Charted<Item>,
  request: FastifyRequest,
  asked: { query: ChartQuery; filters: Filters },
): Promise<Chart<Item>> {
  const { table, ladder } = charted
  const { query, filters } = asked
  const { meterId, channel, points, width: wanted, order = 'asc' } = query
  const range = rangeOf(query, store.clock.nowMicros())
  const width = chartWidth(ladder, { points, ...(wanted && { width: wanted }) }, range)
  const isHeld = ladder.held.includes(width)
  const selection: Selection = {
    table: `${store.tablePrefix}${table.name}`,
    tenant: tenantOf(request),
    range: isHeld ? range : wholeWindows(range, width),
    filters: [
      ...([['meter_id', meterId] as const, ['channel', channel] as const] as const),
      ['width', isHeld ? width : ladder.base],
      ...filters,
    ],
  }
  const columns = columnsOf(table)
  const paged = { ...selection, columns, key: table.key, order, after: undefined, limit: points }
  const sql = isHeld
    ? pageSql(paged)
    : combinedSql(charted, selection, { columns, width, order, same: query })
  const rows = await store.gate.rows(sql, request.signal)
  return { items: rows.map(itemMaker(table, columns)), next: null, width }
}

/** The base rows of the wide windows that begin in the range. */
function wholeWindows({ from, to }: Range, width: string): Range {
  const step = widthMicros(width)!
  return { from: Math.ceil(from / step) * step, to: Math.ceil(to / step) * step }
}

interface Combined {
  readonly columns: readonly string[]
  readonly width: string
  readonly order: 'asc' | 'desc'
  /** What is the same in all rows. */
  readonly same: ChartQuery
}

/**
 *     SELECT cast(ts as long), 'sim-0001', 'power_w', '6h', c4, ... FROM (
 *       SELECT ts, sum("count") c4, ... FROM "windows" WHERE ... SAMPLE BY 6h ALIGN TO CALENDAR
 *     ) ORDER BY ts
 */
function combinedSql<Item>(
  { ladder, combine }: Charted<Item>,
  selection: Selection,
  { columns, width, order, same }: Combined,
): string {
  const aggregates = combine(widthMicros(width)! / widthMicros(ladder.base)!)
  const constants: Readonly<Record<string, string>> = {
    ts: 'cast(ts as long)',
    ...Object.fromEntries(selection.filters.map(([column, value]) => [column, quoted(value)])),
    meter_id: quoted(same.meterId),
    channel: quoted(same.channel),
    width: quoted(width),
  }
  const outer = columns.map((column, i) => (column in aggregates ? `c${i}` : constants[column]!))
  const inner = columns.flatMap((column, i) =>
    column in aggregates ? [`${aggregates[column]!} AS c${i}`] : [],
  )
  return (
    `SELECT ${outer.join(', ')} FROM (` +
    `SELECT ts, ${inner.join(', ')} FROM ${named(selection.table)} ` +
    `WHERE ${conditions(selection)} SAMPLE BY ${width} ALIGN TO CALENDAR` +
    `) ORDER BY ts ${order}`
  )
}

export function chartCsv<Item extends object>(
  { table }: Charted<Item>,
  chart: Promise<Chart<Item>>,
): Csv<Item> {
  async function* batches() {
    yield (await chart).items
  }
  return { name: table.name, fields: Object.keys(table.fields), batches: batches() }
}
