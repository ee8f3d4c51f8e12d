import type { FastifyRequest } from 'fastify'
import { LIMITS } from '../../kernel/limits.ts'
import type { Clock } from '../../kernel/time.ts'
import { tenantOf } from '../plugins/principal.ts'
import type { Csv } from './csv.ts'
import { readCursor, writeCursor } from './cursor.ts'
import type { QueryGate } from './gate.ts'
import { type Order, type Place, type Selection, pageSql } from './select.ts'
import { columnsOf, itemMaker, type ShownTable } from './table.ts'
import { rangeOf } from './times.ts'

/** What the resources ask QuestDB through. */
export interface Store {
  readonly gate: QueryGate
  readonly tablePrefix: string
  readonly clock: Clock
}

/** What the query strings of all time series have. */
export interface RowsQuery {
  readonly limit?: number
  readonly cursor?: string
  readonly format?: 'json' | 'csv'
  readonly from?: string
  readonly to?: string
  readonly order?: Order
}

export const PAGE_ITEMS = 100

/** Column and value of each filter that is given. */
export type Filters = Selection['filters']

export function given(
  columns: Readonly<Record<string, string | undefined>>,
): readonly (readonly [string, string])[] {
  return Object.entries(columns).flatMap(([column, value]) =>
    value === undefined ? [] : [[column, value] as const],
  )
}

export interface Asked {
  readonly query: RowsQuery
  readonly filters: Filters
}

/** One query for rows, whichever page of it: the pages of a query all have one range. */
export class RowsOf<Item extends object> {
  private readonly store: Store
  private readonly table: ShownTable<Item>
  private readonly columns: readonly string[]
  private readonly facts: readonly unknown[]
  private readonly selection: Selection
  private readonly order: Order
  private readonly limit: number
  private readonly signal: AbortSignal
  private readonly first: Place | undefined

  /** @throws api.badQuery, api.foreignCursor */
  constructor(store: Store, table: ShownTable<Item>, request: FastifyRequest, asked: Asked) {
    const { query, filters } = asked
    const { from, to, order = 'asc', cursor, limit = PAGE_ITEMS } = query
    const tenant = tenantOf(request)
    this.store = store
    this.table = table
    this.columns = columnsOf(table)
    this.order = order
    this.limit = limit
    this.signal = request.signal
    this.facts = [table.name, tenant, filters, from ?? null, to ?? null, order]
    const shape = ['time', 'time', 'time', ...table.key.map(() => 'string' as const)] as const
    const place = cursor === undefined ? undefined : readCursor(cursor, this.facts, shape)
    const [begin, end, at, ...key] = place ?? []
    // What is left out means the present: of the first page, for all of them.
    const range =
      place === undefined
        ? rangeOf(query, store.clock.nowMicros())
        : { from: Number(begin), to: Number(end) }
    this.first = place === undefined ? undefined : { at: Number(at), key: key.map(String) }
    this.selection = { table: `${store.tablePrefix}${table.name}`, tenant, range, filters }
  }

  /** What answers a page. */
  async page(): Promise<{ items: Item[]; next: string | null }> {
    const { limit } = this
    // One more than is asked for tells whether there is a next page.
    const rows = await this.rows(this.first, limit + 1)
    const shown = rows.slice(0, limit)
    const last = shown.at(-1)
    const { from, to } = this.selection.range
    const next =
      rows.length > limit && last !== undefined
        ? writeCursor(this.facts, [from, to, last.place.at, ...last.place.key])
        : null
    return { items: shown.map(({ item }) => item), next }
  }

  /** What answers as CSV: all from the cursor on, in pieces. */
  get csv(): Csv<Item> {
    const { name, fields } = this.table
    return { name, fields: Object.keys(fields), batches: this.all() }
  }

  private async *all(): AsyncGenerator<readonly Item[]> {
    let after = this.first
    for (;;) {
      const rows = await this.rows(after, LIMITS.apiCsvRowsAtOnce)
      yield rows.map(({ item }) => item)
      after = rows.at(-1)?.place
      if (rows.length < LIMITS.apiCsvRowsAtOnce) return
    }
  }

  private async rows(after: Place | undefined, limit: number) {
    const { columns, table, order, selection } = this
    const query = pageSql({ ...selection, columns, key: table.key, order, after, limit })
    const rows = await this.store.gate.rows(query, this.signal)
    const itemOf = itemMaker(table, columns)
    const at = columns.indexOf('ts')
    const key = table.key.map((column) => columns.indexOf(column))
    return rows.map((row) => ({
      item: itemOf(row),
      place: { at: Number(row[at]), key: key.map((place) => String(row[place])) },
    }))
  }
}
