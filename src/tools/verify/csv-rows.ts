import { verifyErrors } from './errors.ts'

/** One row; its texts are ranges of `bytes`, valid during the call. */
export interface CsvRow {
  /** The first cell. */
  readonly at: number
  readonly bytes: Buffer
  /** Start and end of the other cells. */
  readonly starts: Int32Array
  readonly ends: Int32Array
}

const QUOTE = 0x22
const COMMA = 0x2c
const NEWLINE = 0x0a
const RETURN = 0x0d
const BACKSLASH = 0x5c
const ZERO = 0x30

/** What QuestDB writes behind a backslash. */
const ESCAPES: ReadonlyMap<number, number> = new Map([
  [0x6e, NEWLINE],
  [0x72, RETURN],
  [0x74, 0x09],
  [0x62, 0x08],
  [0x66, 0x0c],
])

/**
 * Reads QuestDB's CSV (`/exp`) without making strings. The first cell of a row is a whole number,
 * the others are texts. The first line, which names the columns, is left out.
 *
 *   row  := cell ("," cell)* "\r"? "\n"
 *   cell := digits | '"' (byte | '""' | "\" byte)* '"' | nothing, which is null
 *
 * Inside quotes a quote is doubled, and a backslash or a control character stands behind a
 * backslash.
 */
export class CsvRows {
  private readonly row: {
    at: number
    bytes: Buffer
    readonly starts: Int32Array
    readonly ends: Int32Array
  }
  private readonly cells: number
  private readonly visit: (row: CsvRow) => void
  private head = true
  private cell = 0
  private number = 0
  private hasDigits = false
  private negative = false
  private length = 0
  private inQuotes = false
  /** Behind a quote inside quotes, or behind a backslash: the next byte decides. */
  private pending: 'none' | 'quote' | 'escape' = 'none'

  constructor(cells: number, visit: (row: CsvRow) => void) {
    this.cells = cells
    this.visit = visit
    const texts = cells - 1
    const starts = new Int32Array(texts)
    this.row = { at: 0, bytes: Buffer.alloc(1024), starts, ends: new Int32Array(texts) }
  }

  push(chunk: Uint8Array): void {
    for (let i = 0; i < chunk.length; i++) this.take(chunk[i]!)
  }

  /**
   * The last row may have no line break. @throws verify.brokenExport where it is cut in the middle.
   */
  end(): void {
    if (this.inQuotes && this.pending !== 'quote') {
      throw verifyErrors.brokenExport({ detail: 'it ends inside quotes' })
    }
    if (this.cell > 0) this.endRow()
  }

  private take(byte: number): void {
    if (this.pending === 'escape') {
      this.pending = 'none'
      this.put(ESCAPES.get(byte) ?? byte)
      return
    }
    if (this.inQuotes && this.takeQuoted(byte)) return
    if (byte === QUOTE) this.inQuotes = true
    else if (byte === COMMA) this.endCell()
    else if (byte === NEWLINE) this.endRow()
    else if (byte === 0x2d && this.cell === 0) this.negative = true
    else if (byte !== RETURN) this.takePlain(byte)
  }

  /**
   * Whether the byte stands inside: only what follows a quote tells whether that was the last one.
   */
  private takeQuoted(byte: number): boolean {
    if (this.pending === 'quote') {
      this.pending = 'none'
      if (byte !== QUOTE) {
        this.inQuotes = false
        return false
      }
      this.put(QUOTE)
    } else if (byte === QUOTE) this.pending = 'quote'
    else if (byte === BACKSLASH) this.pending = 'escape'
    else this.put(byte)
    return true
  }

  private takePlain(byte: number): void {
    if (this.cell > 0) {
      this.put(byte)
      return
    }
    // The digit first: the code of a digit more would be beyond 2^53 for the largest.
    this.number = 10 * this.number + (byte - ZERO)
    this.hasDigits = true
  }

  private put(byte: number): void {
    const { row } = this
    if (this.length === row.bytes.length) {
      row.bytes = Buffer.concat([row.bytes, Buffer.alloc(row.bytes.length)])
    }
    row.bytes[this.length++] = byte
  }

  private endCell(): void {
    const { starts, ends } = this.row
    // Text k is cell k + 1. What is too much falls off the typed arrays, and is told at the row's
    // end.
    if (this.cell > 0) ends[this.cell - 1] = this.length
    starts[this.cell] = this.length
    this.cell++
  }

  /** @throws verify.brokenExport where the row has another number of cells. */
  private endRow(): void {
    const isEmpty = this.cell === 0 && this.length === 0 && !this.hasDigits
    if (!isEmpty) {
      this.endCell()
      if (this.cell !== this.cells) {
        const text = this.row.bytes.toString('utf8', 0, Math.min(this.length, 200))
        throw verifyErrors.brokenExport({ detail: `a row has ${this.cell} cells: ${text}` })
      }
      this.row.at = this.negative ? -this.number : this.number
      if (this.head) this.head = false
      else this.visit(this.row)
    }
    this.inQuotes = false
    this.pending = 'none'
    this.cell = 0
    this.length = 0
    this.number = 0
    this.hasDigits = false
    this.negative = false
  }
}
