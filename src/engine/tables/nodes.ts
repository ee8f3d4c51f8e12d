import type { Micros } from '../../kernel/time.ts'

/**
 * Lookup tables: what is kept of registries, and joined to what a stream says.
 *
 * - table: the newest records of a compacted topic, one partition, by key. A task's view of it
 *   moves only by `advance` records among the readings, so that it is the same on every replay.
 * - 'from-now': a row holds for what comes after it, in the order of the log (thresholds).
 * - 'effective-dated': a row holds from a time on, `validFrom`, until the next row of its key does
 *   (rosters, tariffs). Which one is joined is decided by the item's own time.
 */
export type TableMode = 'from-now' | 'effective-dated'

export type FieldType = 'number' | 'text' | 'flag'
export type TableShape = Readonly<Record<string, FieldType>>

interface FieldValues {
  readonly number: number
  readonly text: string
  readonly flag: boolean
}

export type TableRow<S extends TableShape> = { readonly [F in keyof S]: FieldValues[S[F]] }

export interface TableDeclaration<S extends TableShape = TableShape> {
  /** Without the prefix of this installation. */
  readonly topic: string
  readonly mode: TableMode
  /** What a row holds, all of it. */
  readonly fields: S
}

/** A table as a topology knows it. */
export interface LookupTable<S extends TableShape> {
  readonly node: LookupTableNode
  /** Of no value: it tells tables of different rows apart. */
  readonly shape?: S
}

export interface LookupTableNode {
  readonly kind: 'lookup-table'
  readonly id: string
  readonly declaration: string
  readonly table: TableDeclaration
}

/** Rows of a key between these times are others than they were. */
export interface TableChange {
  readonly key: string
  readonly from: Micros
  /** Not included. */
  readonly to: Micros
}
