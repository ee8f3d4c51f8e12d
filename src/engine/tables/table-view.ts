import { LIMITS } from '../../kernel/limits.ts'
import type { Micros } from '../../kernel/time.ts'
import type { TaskCounts } from '../counts.ts'
import { inPieces } from '../state/plain.ts'
import type { Plain, StatePart } from '../state/part.ts'
import type { TableChange, TableDeclaration, TableRow, TableShape } from './nodes.ts'
import type { TableRecords } from './table-feed.ts'
import { readEntry } from './table-record.ts'

type Row = TableRow<TableShape>
type Dated = readonly [validFrom: Micros, row: Row]

/** What is known of a key: its rows by the time from which they hold, ascending. */
interface Known {
  /** That of the advance that last changed anything here. */
  readonly revision: number
  readonly rows: readonly Dated[]
}

/** About what a row takes beside the text of its key. */
const ROW_BYTES = 160

/** What one task knows of one table: the rows below the offset that it has come to. */
export class TableView implements StatePart {
  readonly arrays = {}
  readonly declaration: TableDeclaration
  /** The offset of the table's topic up to which records were taken. */
  offset = 0
  private readonly keys = new Map<string, Known>()
  private readonly counts: TaskCounts
  private rows = 0

  constructor(declaration: TableDeclaration, counts: TaskCounts) {
    this.declaration = declaration
    this.counts = counts
  }

  get bytes(): number {
    return this.rows * ROW_BYTES
  }

  /** Takes records on, up to `offset`. Answers what has changed; what goes back changes nothing. */
  advance(records: TableRecords, offset: number, revision: number): readonly TableChange[] {
    if (offset <= this.offset) return []
    const changes: TableChange[] = []
    for (const { key, value } of records.between(this.offset, offset)) {
      const entry = readEntry(this.declaration, key, value)
      const isRoom = this.keys.size < LIMITS.tableKeysMax
      if (entry === undefined || !(isRoom || this.keys.has(entry.key))) {
        this.counts.tableRefused++
        continue
      }
      this.counts.tableRecords++
      changes.push(this.put(entry.key, entry.validFrom, entry.row, revision))
    }
    this.offset = offset
    return changes
  }

  private put(key: string, validFrom: Micros, row: Row | null, revision: number): TableChange {
    const before = this.keys.get(key)?.rows ?? []
    let place = before.findIndex(([from]) => from >= validFrom)
    if (place < 0) place = before.length
    const same = before[place]?.[0] === validFrom ? 1 : 0
    const rows = before.toSpliced(place, same, ...(row === null ? [] : [[validFrom, row] as const]))
    // A snapshot that is being written keeps what was there.
    this.keys.set(key, { revision, rows })
    this.rows += (row === null ? 0 : 1) - same
    return { key, from: validFrom, to: rows.find(([from]) => from > validFrom)?.[0] ?? Infinity }
  }

  /** The row of a key that holds at a time. */
  find(key: string, at: Micros): Row | undefined {
    const rows = this.keys.get(key)?.rows
    // Nearly always the newest one holds.
    for (let i = (rows?.length ?? 0) - 1; i >= 0; i--) if (rows![i]![0] <= at) return rows![i]![1]
    return undefined
  }

  /** That of the advance which last changed the key; 0 where none has. */
  revisionOf(key: string): number {
    return this.keys.get(key)?.revision ?? 0
  }

  /** First the offset, then keys with their revisions and rows. */
  pieces(): Iterable<Plain> {
    return piecesOf(this.offset, [...this.keys.keys()], [...this.keys.values()])
  }

  loadPiece(plain: Plain): void {
    if (typeof plain === 'number') {
      this.offset = plain
      return
    }
    for (const [key, revision, rows] of plain as unknown as [string, number, Dated[]][]) {
      this.keys.set(key, { revision, rows })
      this.rows += rows.length
    }
  }
}

function* piecesOf(
  offset: number,
  keys: readonly string[],
  known: readonly Known[],
): Iterable<Plain> {
  yield offset
  yield* inPieces(keys, (key, i) => [key, known[i]!.revision, known[i]!.rows as unknown as Plain])
}
