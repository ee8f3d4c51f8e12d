/** Which rows of a long list are drawn: those that are seen, and some around them. */

const AROUND = 8

export interface Seen {
  /** The first row that is drawn, and the one after the last. */
  readonly first: number
  readonly end: number
}

export function seenRows(count: number, rowHeight: number, scrolled: number, height: number): Seen {
  const top = Math.floor(scrolled / rowHeight) - AROUND
  const bottom = Math.ceil((scrolled + height) / rowHeight) + AROUND
  const end = Math.min(count, Math.max(0, bottom))
  return { first: Math.max(0, Math.min(top, end)), end }
}
