import { LIMITS } from '../kernel/limits.ts'
import type { TableNode } from './nodes.ts'
import { RowBuffer } from './rows.ts'
import type { RowBatch } from './sink.ts'
import { inPieces } from './state/plain.ts'
import type { Plain, StatePart } from './state/part.ts'

/** What a cell takes, with its share of the texts and of the map: an estimate. */
const CELL_BYTES = 16

type Cell = number | boolean | string | undefined

interface Restated {
  readonly appendedMillis: number
  readonly takenMillis: number
  readonly cells: readonly Cell[]
}

/**
 * The rows of one table node that took the place of others, the newest of each identity: those of
 * the last hour of append time, and those that this process has computed or restored within the
 * last hour of its own clock, since one that catches up passes hours of append time in seconds. A
 * row that never changed is the same whoever writes it, and however late; of these a stale owner
 * may have an older form under way.
 */
export class RestatedRows implements StatePart {
  readonly arrays = {}
  private readonly node: Pick<TableNode, 'spec' | 'cells'>
  private readonly progress: { readonly takenMillis: number }
  private readonly keyPlaces: readonly number[]
  /** In the order of their last change. */
  private readonly rows = new Map<string, Restated>()

  /** @param progress The process's monotonic clock when it took in what it computes now. */
  constructor(node: Pick<TableNode, 'spec' | 'cells'>, progress: { readonly takenMillis: number }) {
    this.node = node
    this.progress = progress
    const { keys, columns } = node.spec
    this.keyPlaces = keys.map((key) => columns.findIndex(({ name }) => name === key))
  }

  push(item: never, appendedMillis: number): void {
    const { takenMillis } = this.progress
    this.add({ appendedMillis, takenMillis, cells: this.node.cells.map((cell) => cell(item)) })
    for (const [key, row] of this.rows) {
      const isOld =
        row.appendedMillis < appendedMillis - LIMITS.engineRestatedMs &&
        row.takenMillis < takenMillis - LIMITS.engineRestatedMs
      if (!isOld && this.rows.size <= LIMITS.engineRestatedRowsMax) break
      this.rows.delete(key)
    }
  }

  private add(row: Restated): void {
    const key = this.keyPlaces.map((place) => String(row.cells[place])).join('\u0000')
    // Set anew, so that the order stays that of the last change.
    this.rows.delete(key)
    this.rows.set(key, row)
  }

  get bytes(): number {
    return this.rows.size * this.node.spec.columns.length * CELL_BYTES
  }

  /** All of them, to be written once more. */
  batch(): RowBatch {
    const buffer = new RowBuffer(this.node.spec)
    const cells = this.node.spec.columns.map((_, place) => (row: Restated) => row.cells[place])
    for (const row of this.rows.values()) buffer.push(cells, row as never)
    return buffer.take()
  }

  /** For each row its append time, then its cells. Rows do not change, so that they can wait. */
  pieces(): Iterable<Plain> {
    return inPieces([...this.rows.values()], ({ appendedMillis, cells }) => [
      appendedMillis,
      ...cells.map((cell) => cell ?? null),
    ])
  }

  /** When its writer computed a row, no clock of this process tells: it counts as of now. */
  loadPiece(plain: Plain): void {
    const { takenMillis } = this.progress
    for (const [appendedMillis, ...cells] of plain as [number, ...(Cell | null)[]][]) {
      this.add({ appendedMillis, takenMillis, cells: cells.map((cell) => cell ?? undefined) })
    }
  }
}
