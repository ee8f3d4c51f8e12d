import { hasCode, messageOf } from '../../kernel/errors.ts'
import { days, hours, type Micros } from '../../kernel/time.ts'
import { parseTime } from '../../bridge/formats/time-text.ts'
import { apiErrors } from '../errors.ts'
import { shownValue } from '../plugins/validation-words.ts'

/** From the first, included, to the second, not included. */
export interface Range {
  readonly from: Micros
  readonly to: Micros
}

/** What is exact as a JavaScript number: until the year 2255. */
const LATEST: Micros = Number.MAX_SAFE_INTEGER

/**
 * The range of a query; what is left out is the present, and 24 h before the end.
 *
 * @throws api.badQuery
 */
export function rangeOf(query: { from?: string; to?: string }, now: Micros): Range {
  const to = query.to === undefined ? now : instantOf('to', query.to)
  const from = query.from === undefined ? Math.max(0, to - days(1)) : instantOf('from', query.from)
  if (from < to) return { from, to }
  const end = query.to === undefined ? 'now, since to is left out' : `to, which is '${query.to}'`
  const field = query.from === undefined ? 'to' : 'from'
  const value = shownValue(query[field])
  throw apiErrors.badQuery({ field, value, remedy: `give a time for from that is before ${end}` })
}

/** @throws api.badQuery */
function instantOf(field: string, text: string): Micros {
  const refusal = (remedy: string, cause?: unknown) =>
    apiErrors.badQuery({ field, value: shownValue(text), remedy }, cause)
  let at: Micros
  try {
    at = parseTime(withPlus(text))
  } catch (error) {
    if (hasCode(error, 'payload.noZone')) {
      throw refusal('it has no zone; append Z for UTC, or an offset such as +01:00', error)
    }
    if (hasCode(error, 'payload.badTime')) {
      const why = (error.fields as { why?: string }).why ?? messageOf(error)
      throw refusal(`${why}; give a time such as 2026-11-20T00:00:00Z`, error)
    }
    throw error
  }
  if (at < 0 || at > LATEST) throw refusal('give a time from 1970 to 2255')
  return at
}

/** In a query string a plus stands for a blank: who forgot to write it as %2B meant the offset. */
function withPlus(text: string): string {
  return text.replace(/(?<=:\d\d(?:[.,]\d+)?) (?=\d\d(?::?\d\d)?$)/, '+')
}

/** Literal of SQL. */
export function sqlTime(at: Micros): string {
  return `cast(${Math.trunc(at)}L as timestamp)`
}

/** The newest boundary of 15 min of which no sample is still on its way. */
export function closedUntil(now: Micros): Micros {
  const quarter = hours(1) / 4
  return Math.floor((now - hours(1) / 12) / quarter) * quarter
}
