import type { Plain } from './part.ts'

/** Entries of one piece: about a millisecond's work. */
const PIECE_ENTRIES = 100

const SPECIAL: Readonly<Record<string, number>> = {
  '#NaN': NaN,
  '#Infinity': Infinity,
  '#-Infinity': -Infinity,
  '#-0': -0,
}

/** JSON that knows NaN, the infinities and -0. Strings that begin with # get another one. */
export function plainText(plain: Plain): string {
  return JSON.stringify(plain, (_name, value: Plain) => {
    if (typeof value === 'string') return value.startsWith('#') ? `#${value}` : value
    if (typeof value !== 'number') return value
    if (Number.isFinite(value) && !Object.is(value, -0)) return value
    return `#${Object.is(value, -0) ? '-0' : value}`
  })
}

/** Reads back what `plainText` wrote. @throws SyntaxError */
export function plainOf(text: string): Plain {
  return JSON.parse(text, (_name, value: Plain) => {
    if (typeof value !== 'string' || !value.startsWith('#')) return value
    return SPECIAL[value] ?? value.slice(1)
  }) as Plain
}

/** Many entries in pieces, each an array; one piece at least, which says that none is left. */
export function* inPieces<T>(
  entries: readonly T[],
  plainOf: (entry: T, index: number) => Plain,
): Iterable<Plain> {
  let at = 0
  do {
    const from = at
    yield entries.slice(from, from + PIECE_ENTRIES).map((entry, i) => plainOf(entry, from + i))
    at += PIECE_ENTRIES
  } while (at < entries.length)
}
