import type { RowBatch } from '../engine/sink.ts'
import type { ColumnType, TableSpec } from '../schemas/tables.ts'
import { sinkErrors } from './errors.ts'

/**
 * Rows as InfluxDB line protocol in QuestDB's version 2: text, but for doubles, which go as their
 * eight bytes and so stay exact.
 *
 *   row    := table ("," symbol "=" text)* (" " field ("," field)*)? " " micros "t" "\n"
 *   field  := double "==" 0x10 bytes[8] | long "=" digits "i" | boolean "=" ("t" | "f")
 *   text   := UTF-8 with a backslash before space, comma, equals sign, backslash and line breaks
 *
 * Null is a field that is left out. The official client writes the same form character by
 * character; why it is not used stands in docs/design.md, section 3.
 */

type Column = Float64Array | Uint8Array | readonly (string | undefined)[]

interface Field {
  readonly name: string
  readonly type: ColumnType
  /** Index into the batch's columns. */
  readonly index: number
  /** What stands before the value, without the separator before the name. */
  readonly head: Uint8Array
}

const NUMBER_BYTES = 24
/** A UTF-16 unit gives at most three bytes, and an escaped one two. */
const BYTES_PER_UNIT = 3

const SPACE = 0x20
const COMMA = 0x2c
const EQUALS = 0x3d
const MINUS = 0x2d
const BACKSLASH = 0x5c
const NEWLINE = 0x0a
const RETURN = 0x0d
const ZERO = 0x30
const LETTER_F = 0x66
const LETTER_I = 0x69
const LETTER_T = 0x74

/** Encodes rows of one table into a buffer that it keeps, and that grows to the largest request. */
export class IlpEncoder {
  private readonly spec: TableSpec
  private readonly table: Uint8Array
  private readonly symbols: readonly Field[]
  private readonly fields: readonly Field[]
  private readonly fixedBytes: number
  private bytes = Buffer.allocUnsafe(64 * 1024)
  private view = viewOf(this.bytes)
  private end = 0

  /** @param table The table's name in QuestDB, prefix included. */
  constructor(spec: TableSpec, table: string) {
    this.spec = spec
    this.table = Buffer.from(table)
    const all = spec.columns.map(({ name, type }, index): Field => {
      // A double has a second equals sign, which says that bytes follow.
      const head = Buffer.from(type === 'double' ? `${name}==\u0010` : `${name}=`)
      return { name, type, index, head }
    })
    this.symbols = all.filter(({ type }) => type === 'symbol')
    this.fields = all.filter(({ type, index }) => type !== 'symbol' && index > 0)
    this.fixedBytes =
      table.length +
      NUMBER_BYTES +
      all.reduce((sum, { head }) => sum + 1 + head.length + NUMBER_BYTES, 0)
  }

  clear(): void {
    this.end = 0
  }

  /** What was encoded since `clear`: valid until the next call of anything here. */
  encoded(): Buffer {
    return this.bytes.subarray(0, this.end)
  }

  /**
   * Appends the rows order[from] to order[to - 1].
   *
   * @throws sinks.badValue where a time or a long is no whole number below 2^53.
   */
  append(batch: RowBatch, order: Uint32Array, from: number, to: number): void {
    const { columns } = batch
    const times = columns[0] as Float64Array
    for (let k = from; k < to; k++) {
      const row = order[k]!
      this.reserve(this.rowBytesMax(columns, row))
      this.copy(this.table)
      for (const field of this.symbols) {
        const text = (columns[field.index] as readonly (string | undefined)[])[row]
        if (text === undefined) continue
        this.bytes[this.end++] = COMMA
        this.copy(field.head)
        this.text(text)
      }
      this.rowFields(columns, row)
      this.bytes[this.end++] = SPACE
      this.whole(times[row]!, this.spec.columns[0]!.name)
      this.bytes[this.end++] = LETTER_T
      this.bytes[this.end++] = NEWLINE
    }
  }

  private rowFields(columns: readonly Column[], row: number): void {
    const { bytes } = this
    let separator = SPACE
    for (const { index, type, head, name } of this.fields) {
      const value = (columns[index] as Float64Array | Uint8Array)[row]!
      if (value !== value) continue
      bytes[this.end++] = separator
      separator = COMMA
      this.copy(head)
      if (type === 'double') {
        this.view.setFloat64(this.end, value, true)
        this.end += 8
      } else if (type === 'boolean') {
        bytes[this.end++] = value === 0 ? LETTER_F : LETTER_T
      } else {
        this.whole(value, name)
        bytes[this.end++] = type === 'long' ? LETTER_I : LETTER_T
      }
    }
  }

  private rowBytesMax(columns: readonly Column[], row: number): number {
    let units = 0
    for (const { index } of this.symbols) {
      units += (columns[index] as readonly (string | undefined)[])[row]?.length ?? 0
    }
    return this.fixedBytes + BYTES_PER_UNIT * units
  }

  private reserve(count: number): void {
    if (this.end + count <= this.bytes.length) return
    const larger = Buffer.allocUnsafe(2 * this.bytes.length + count)
    larger.set(this.bytes.subarray(0, this.end))
    this.bytes = larger
    this.view = viewOf(larger)
  }

  private copy(source: Uint8Array): void {
    const { bytes } = this
    let { end } = this
    // These are a few bytes each: a call of `set` costs more than the loop.
    for (let i = 0; i < source.length; i++) bytes[end++] = source[i]!
    this.end = end
  }

  private text(text: string): void {
    const { bytes } = this
    const start = this.end
    let end = start
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      if (unit > 0x7f) {
        this.end = start
        this.textBeyondAscii(text)
        return
      }
      if (mustBeEscaped(unit)) bytes[end++] = BACKSLASH
      bytes[end++] = unit
    }
    this.end = end
  }

  private textBeyondAscii(text: string): void {
    const escaped = text.replace(/[ ,=\\\n\r]/g, '\\$&')
    this.end += this.bytes.write(escaped, this.end, 'utf8')
  }

  private whole(value: number, column: string): void {
    if (!Number.isSafeInteger(value)) {
      const table = this.table.toString()
      const wants = 'a whole number below 2^53'
      throw sinkErrors.badValue({ table, column, value: String(value), wants })
    }
    const { bytes } = this
    let rest = value
    if (rest < 0) {
      bytes[this.end++] = MINUS
      rest = -rest
    }
    // Nine digits at a time fit the integer arithmetic that is fast.
    const high = Math.floor(rest / 1e9)
    let low = rest - high * 1e9
    const start = this.end
    const end = start + digitsOf(rest)
    let at = end
    if (high > 0) {
      for (let i = 0; i < 9; i++) {
        const tenth = (low / 10) | 0
        bytes[--at] = ZERO + low - tenth * 10
        low = tenth
      }
      low = high
    }
    while (at > start) {
      const tenth = (low / 10) | 0
      bytes[--at] = ZERO + low - tenth * 10
      low = tenth
    }
    this.end = end
  }
}

function mustBeEscaped(unit: number): boolean {
  if (unit > BACKSLASH) return false
  return (
    unit === SPACE ||
    unit === COMMA ||
    unit === EQUALS ||
    unit === BACKSLASH ||
    unit === NEWLINE ||
    unit === RETURN
  )
}

/** Decimal digits of a whole number from 0 to 2^53. */
function digitsOf(value: number): number {
  let digits = 1
  for (let bound = 10; value >= bound; bound *= 10) digits++
  return digits
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
