import { formatMicros } from '../../kernel/time.ts'
import { QUALITIES, type Quality } from '../../schemas/records.ts'
import type { Cell } from '../../sinks/questdb-http.ts'
import { anomalyState } from '../contract/items.ts'
import { widthMicros } from './widths.ts'

/**
 * A table of QuestDB as the api shows it.
 *
 * - column: a column of the table. `ts` is read as whole microseconds.
 * - field: a part of an item: the columns that it is made of, and how.
 * - key: the columns that tell rows of one `ts` apart. No two rows have the same `ts` and key.
 */
export interface ShownTable<Item> {
  /** Without the prefix. */
  readonly name: string
  readonly fields: Fields<Item>
  readonly key: readonly string[]
}

type Fields<Item> = { readonly [K in keyof Item]: Field<Item[K]> }

export interface Field<T> {
  readonly columns: readonly string[]
  readonly read: (...cells: readonly Cell[]) => T
}

const field = <T>(columns: readonly string[], read: (...cells: readonly Cell[]) => T): Field<T> => {
  return { columns, read }
}

/** QuestDB's JSON has null for NaN and for infinities, as for what is not there. */
const numberOf = (cell: Cell | undefined) =>
  typeof cell === 'number' && Number.isFinite(cell) ? cell : null

export const text = (column: string) => field([column], (cell) => String(cell))
export const number = (column: string) => field([column], numberOf)
/** Of columns that always hold a number. */
export const count = (column: string) => field([column], (cell) => numberOf(cell) ?? 0)
export const flag = (column: string) => field([column], (cell) => cell === true)
export const start = field(['ts'], (cell) => formatMicros(Number(cell)))
/** A width that nobody knows has no end to tell: its start stands for it. */
export const end = field(['ts', 'width'], (at, width) =>
  formatMicros(Number(at) + (widthMicros(String(width)) ?? 0)),
)
export const quality = field(
  ['quality'],
  (cell): Quality => QUALITIES.find((one) => one === cell) ?? 'SUSPECT',
)

export const state = field(['state'], anomalyState)

/** The columns to ask for, each once. */
export function columnsOf<Item>(table: ShownTable<Item>): readonly string[] {
  const fields: readonly Field<unknown>[] = Object.values(table.fields)
  return [...new Set([...fields.flatMap(({ columns }) => columns), 'ts', ...table.key])]
}

/** Makes items of rows that hold `columns`. */
export function itemMaker<Item extends object>(
  table: ShownTable<Item>,
  columns: readonly string[],
): (row: readonly Cell[]) => Item {
  const entries: readonly [string, Field<unknown>][] = Object.entries(table.fields)
  const plan = entries.map(([name, { columns: wanted, read }]) => ({
    name,
    read,
    places: wanted.map((column) => columns.indexOf(column)),
  }))
  return (row) => {
    const item: Record<string, unknown> = {}
    for (const { name, read, places } of plan) {
      item[name] = read(...places.map((place) => row[place]!))
    }
    return item as Item
  }
}
