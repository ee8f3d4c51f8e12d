/**
 * CSV as RFC 4180 has it: commas, quotes doubled inside quotes, line ends LF or CRLF, also inside
 * quotes. A byte order mark at the beginning is left out; empty lines are skipped. A quote that
 * does not begin a field stands for itself, and so does what follows a closing one.
 */
export class CsvReader {
  readonly #onRow: (fields: readonly string[], line: number) => void
  readonly #onTooLong: (line: number) => never
  readonly #charactersMax: number
  #rest = ''
  #isFirst = true
  /** Number of the line that comes next, from 1. */
  #line = 1

  /**
   * @param onRow The fields of one row, and the number of its first line.
   * @param onTooLong A row above `charactersMax`; throws.
   */
  constructor(
    charactersMax: number,
    onRow: (fields: readonly string[], line: number) => void,
    onTooLong: (line: number) => never,
  ) {
    this.#charactersMax = charactersMax
    this.#onRow = onRow
    this.#onTooLong = onTooLong
  }

  push(text: string): void {
    let all = this.#rest === '' ? text : this.#rest + text
    if (this.#isFirst && all !== '') {
      this.#isFirst = false
      if (all.startsWith('\ufeff')) all = all.slice(1)
    }
    let at = 0
    // Where the next quote is, found once for all the rows before it.
    let quote = all.indexOf('"')
    for (;;) {
      const end = all.indexOf('\n', at)
      if (end < 0) break
      if (quote >= 0 && quote < at) quote = all.indexOf('"', at)
      if (quote < 0 || quote > end) {
        this.#plainRow(all, at, end)
        at = end + 1
        continue
      }
      const after = this.#quotedRow(all, at)
      if (after < 0) break
      at = after
    }
    this.#rest = all.slice(at)
    if (this.#rest.length > this.#charactersMax) this.#onTooLong(this.#line)
  }

  /** The file ends here, with or without a last line end. */
  end(): void {
    const rest = this.#rest
    if (rest !== '') this.push('\n')
    // A quote that nobody closed runs to the end of the file.
    if (this.#rest !== '') this.push('"\n')
    this.#rest = ''
  }

  #plainRow(text: string, from: number, lineEnd: number): void {
    const end = text.charCodeAt(lineEnd - 1) === CR && lineEnd > from ? lineEnd - 1 : lineEnd
    if (end > from) this.#onRow(text.slice(from, end).split(','), this.#line)
    this.#line += 1
  }

  /** @returns The index after the row, or -1 where the text ends before the row does. */
  #quotedRow(text: string, from: number): number {
    const fields: string[] = []
    let at = from
    for (;;) {
      let field = ''
      if (text.charCodeAt(at) === QUOTE) {
        at += 1
        for (;;) {
          const close = text.indexOf('"', at)
          if (close < 0) return -1
          field += text.slice(at, close)
          at = close + 1
          if (text.charCodeAt(at) !== QUOTE) break
          field += '"'
          at += 1
        }
      }
      const end = endOfField(text, at)
      if (end < 0) return -1
      const isLast = text.charCodeAt(end) === LF
      const isCrLf = isLast && end > at && text.charCodeAt(end - 1) === CR
      fields.push(field + text.slice(at, isCrLf ? end - 1 : end))
      at = end + 1
      if (isLast) break
    }
    this.#onRow(fields, this.#line)
    for (let i = text.indexOf('\n', from); i >= 0 && i < at; i = text.indexOf('\n', i + 1)) {
      this.#line += 1
    }
    return at
  }
}

const QUOTE = 0x22
const COMMA = 0x2c
const LF = 0x0a
const CR = 0x0d

function endOfField(text: string, from: number): number {
  for (let i = from; i < text.length; i += 1) {
    const c = text.charCodeAt(i)
    if (c === COMMA || c === LF) return i
  }
  return -1
}
