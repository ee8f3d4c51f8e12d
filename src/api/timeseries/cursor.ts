import { createHash } from 'node:crypto'
import { apiErrors } from '../errors.ts'
import { shownValue } from '../plugins/validation-words.ts'

/**
 * A cursor is base64url of JSON: the place that the next page begins behind, and a hash of the
 * query that it belongs to. It is not signed: it leads nowhere that a query could not.
 */

/** Of what decides which rows a query has, in which order. */
export function queryHash(facts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(facts)).digest('base64url').slice(0, 16)
}

/** @param facts The same for each page of a query. */
export function writeCursor(facts: readonly unknown[], place: readonly (string | number)[]) {
  return Buffer.from(JSON.stringify([queryHash(facts), ...place])).toString('base64url')
}

/**
 * @param shape The type of each part of the place.
 * @throws api.foreignCursor where it is none, or one of another query.
 */
export function readCursor(
  cursor: string,
  facts: readonly unknown[],
  shape: readonly ('string' | 'time')[],
): readonly (string | number)[] {
  const refusal = (why: string, remedy: string) =>
    apiErrors.foreignCursor({ field: 'cursor', value: shownValue(cursor), why, remedy })
  const parts = parsed(cursor)
  const [hash, ...place] = parts ?? []
  const isPlace =
    place.length === shape.length &&
    place.every((part, i) => {
      return shape[i] === 'string'
        ? typeof part === 'string'
        : Number.isSafeInteger(part) && Number(part) >= 0
    })
  if (!isPlace) throw refusal('is no cursor', 'give `next` of the page before as it is')
  if (hash !== queryHash(facts)) {
    throw refusal(
      'belongs to another query',
      'repeat the query of the page before and change nothing but cursor, limit and format',
    )
  }
  return place as readonly (string | number)[]
}

function parsed(cursor: string): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    return Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}
