import { Transform, type TransformCallback } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'

/**
 * Passes a reporter's text on, but keeps back its closing lines (the counts, and the failures after
 * them) until `release`, so that they are the end of the output whatever comes in between.
 */
export class ClosingLinesLast extends Transform {
  #kept: string[] | undefined
  #rest = ''

  override _transform(chunk: Buffer | string, _encoding: string, done: TransformCallback): void {
    const lines = (this.#rest + chunk.toString()).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#take(`${line}\n`)
    done()
  }

  override _flush(done: TransformCallback): void {
    if (this.#rest !== '') this.#take(this.#rest)
    this.#rest = ''
    done()
  }

  #take(line: string): void {
    if (/^ℹ tests \d+/u.test(stripVTControlCharacters(line))) this.#kept ??= []
    if (this.#kept) this.#kept.push(line)
    else this.push(line)
  }

  /** What was kept back; empty where the reporter never came to its end. */
  release(): string {
    return (this.#kept ?? []).join('')
  }
}
