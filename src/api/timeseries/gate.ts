import { MeterloomError } from '../../kernel/errors.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { type Cell, type QuestdbSql, questdbSql } from '../../sinks/questdb-http.ts'
import { apiErrors } from '../errors.ts'

export type Rows = readonly (readonly Cell[])[]

/**
 * QuestDB as the api's requests ask it: so many queries at once, so many more that wait, and each
 * for so long. What goes wrong is told in the api's own errors.
 */
export class QueryGate {
  private readonly sql: QuestdbSql
  private readonly limits: GateLimits
  private running = 0
  private readonly waiting = new Set<() => void>()

  constructor(questdbUrl: string, limits: Partial<GateLimits> = {}) {
    this.sql = questdbSql(questdbUrl)
    this.limits = { ...DEFAULTS, ...limits }
  }

  /**
   * @param signal Ends the query when who asked is gone.
   * @throws api.busy, api.storeAway, api.tooSlow, api.starting; the signal's reason; and what no
   *   request can help, as sinks.badQuery.
   */
  async rows(query: string, signal: AbortSignal): Promise<Rows> {
    await this.enter(signal)
    try {
      return await this.sql.rows(query, { signal, timeoutMs: this.limits.queryMsMax })
    } catch (error) {
      signal.throwIfAborted()
      throw this.inOurWords(error)
    } finally {
      this.running -= 1
      const [next] = this.waiting
      next?.()
    }
  }

  private async enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const { atOnce, waitingMax, waitMsMax } = this.limits
    if (this.running < atOnce) {
      this.running += 1
      return
    }
    if (this.waiting.size >= waitingMax) throw this.busy()
    const turn = Promise.withResolvers<undefined>()
    const come = () => {
      this.waiting.delete(come)
      this.running += 1
      turn.resolve(undefined)
    }
    // Who no longer waits is out of the queue at once, lest a turn be given to nobody.
    const leave = (reason: Error) => {
      if (this.waiting.delete(come)) turn.reject(reason)
    }
    const timer = setTimeout(() => leave(this.busy()), waitMsMax)
    const gone = () => leave(signal.reason as Error)
    this.waiting.add(come)
    signal.addEventListener('abort', gone, { once: true })
    try {
      await turn.promise
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', gone)
    }
  }

  private busy(): Error {
    return apiErrors.busy({ waiting: this.waiting.size, atOnce: this.limits.atOnce })
  }

  private inOurWords(error: unknown): unknown {
    if (!(error instanceof MeterloomError)) return error
    const isTimeout = error.cause instanceof Error && error.cause.name === 'TimeoutError'
    if (isTimeout || /timeout, query aborted/.test(error.message)) {
      return apiErrors.tooSlow({ seconds: this.limits.queryMsMax / 1_000 }, error)
    }
    if (error.code === 'sinks.unavailable') {
      return apiErrors.storeAway({ detail: 'does not answer' }, error)
    }
    if (error.code === 'sinks.refused') {
      return apiErrors.storeAway({ detail: 'does not let the api in' }, error)
    }
    if (/table does not exist/.test(error.message)) {
      return apiErrors.starting({ what: 'what QuestDB holds' }, error)
    }
    return error
  }
}

export interface GateLimits {
  readonly atOnce: number
  readonly waitingMax: number
  readonly waitMsMax: number
  readonly queryMsMax: number
}

const DEFAULTS: GateLimits = {
  atOnce: LIMITS.apiQueriesAtOnce,
  waitingMax: LIMITS.apiQueriesWaitingMax,
  waitMsMax: LIMITS.apiQueryWaitMsMax,
  queryMsMax: LIMITS.apiQueryMsMax,
}
