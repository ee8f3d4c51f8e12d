import { messageOf } from '../kernel/errors.ts'
import { LIMITS } from '../kernel/limits.ts'
import { sinkErrors } from './errors.ts'

/** QuestDB's HTTP as its address tells it, user and password taken out of the URL. */
export interface QuestdbAddress {
  /** Without user and password: fit for messages. */
  readonly origin: string
  readonly headers: Readonly<Record<string, string>>
}

/** @throws sinks.badUrl */
export function questdbAddress(questdbUrl: string): QuestdbAddress {
  if (!URL.canParse(questdbUrl)) throw sinkErrors.badUrl({ detail: 'it is no URL' })
  const url = new URL(questdbUrl)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw sinkErrors.badUrl({ detail: `it begins with ${url.protocol}` })
  }
  const { username, password, origin } = url
  if (username === '') return { origin, headers: {} }
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return {
    origin,
    headers: { authorization: `Basic ${Buffer.from(login).toString('base64')}` },
  }
}

export type Cell = string | number | boolean | null

export interface QueryWishes {
  /** By default `LIMITS.questdbQueryMsMax`. */
  readonly timeoutMs?: number
  /** Ends the query when who asked is gone. */
  readonly signal?: AbortSignal
}

/** SQL over HTTP: `/exec` for small answers, `/exp` for streams of rows. */
export interface QuestdbSql {
  readonly address: QuestdbAddress
  /**
   * The rows of one statement, a cell a column; none where the statement answers none.
   *
   * @throws sinks.unavailable (retryable), sinks.refused, sinks.badQuery; what the signal was
   *   aborted with.
   */
  rows(query: string, wishes?: QueryWishes): Promise<readonly (readonly Cell[])[]>
  /** The answer as CSV, its head line included, in the pieces that come; same errors. */
  csv(query: string): AsyncGenerator<Uint8Array>
}

export function questdbSql(questdbUrl: string): QuestdbSql {
  const address = questdbAddress(questdbUrl)
  const ask = async (path: string, query: string, timeoutMs: number, stop?: AbortSignal) => {
    const url = `${address.origin}${path}?query=${encodeURIComponent(query)}`
    const headers = { ...address.headers, 'statement-timeout': String(timeoutMs) }
    let response: Response
    try {
      const limit = AbortSignal.timeout(timeoutMs)
      const signal = stop === undefined ? limit : AbortSignal.any([limit, stop])
      response = await fetch(url, { headers, signal })
      if (response.ok) return response
      const text = await response.text()
      throw refusal(address, query, response.status, text)
    } catch (error) {
      throw asUnavailable(address, error)
    }
  }
  return {
    address,
    async rows(query, { timeoutMs = LIMITS.questdbQueryMsMax, signal } = {}) {
      const response = await ask('/exec', query, timeoutMs, signal)
      try {
        const answer = (await response.json()) as { dataset?: (readonly Cell[])[] }
        return answer.dataset ?? []
      } catch (error) {
        throw asUnavailable(address, error)
      }
    },
    async *csv(query) {
      const response = await ask('/exp', query, LIMITS.questdbExportMsMax)
      try {
        if (response.body !== null) yield* response.body
      } catch (error) {
        throw asUnavailable(address, error)
      }
    },
  }
}

function refusal({ origin }: QuestdbAddress, query: string, status: number, text: string): Error {
  if (status === 401 || status === 403) {
    return sinkErrors.refused({ address: origin, status, detail: text.trim().slice(0, 500) })
  }
  if (status !== 400) {
    return sinkErrors.unavailable({ address: origin, detail: `status ${status}: ${text.trim()}` })
  }
  let detail = text
  try {
    detail = (JSON.parse(text) as { error?: string }).error ?? text
  } catch {
    // The text itself is what it says.
  }
  return sinkErrors.badQuery({ query: query.replace(/\s+/g, ' ').slice(0, 300), detail })
}

function asUnavailable({ origin }: QuestdbAddress, error: unknown): unknown {
  if (error instanceof Error && error.name === 'MeterloomError') return error
  // fetch says only "fetch failed"; why stands in the cause.
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  return sinkErrors.unavailable({ address: origin, detail: messageOf(cause) }, error)
}

/** A text as a literal of SQL. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
