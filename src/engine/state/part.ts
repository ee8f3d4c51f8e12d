import type { PagedArray } from './pages.ts'

/**
 * The port of what a task remembers from record to record. All of it lies in parts: what is in none
 * is lost when the task is made anew.
 *
 * - part: a piece of state under the id of the node that it belongs to and a name of its own. A
 *   snapshot saves every part; a node that has not changed finds its parts again.
 * - array: the bulk of a part, in pages of which snapshots write only the changed ones.
 * - plain: the rest of a part, written whole with every snapshot; in pieces where it is not small.
 * - keyed part: one that holds something for each slot of a series.
 */

/** As JSON has it; numbers may be infinite or NaN too. */
export type Plain =
  number | string | boolean | null | readonly Plain[] | { readonly [name: string]: Plain }

export interface StatePart {
  /** Bytes of memory that the part holds. */
  readonly bytes: number
  /** By name; the same ones at all times. */
  readonly arrays: Readonly<Record<string, PagedArray>>
  /** What is not in arrays. */
  save?(): Plain
  /** Called on a new part, after the pages of all arrays have been loaded. */
  load?(plain: Plain): void
  /**
   * In place of `save` where there is much: what the part holds when this is called, in one piece
   * or more, each made when it is asked for. The part goes on changing meanwhile.
   */
  pieces?(): Iterable<Plain>
  /** Called on a new part as `load` is, with each piece in their order. */
  loadPiece?(plain: Plain): void
}

export interface KeyedPart extends StatePart {
  /** Makes room for `slots` slots; new ones are as `forget` leaves them. */
  grow(slots: number): void
  /** The series of a slot is gone: the slot becomes as it was when it was new. */
  forget(slot: number): void
}
