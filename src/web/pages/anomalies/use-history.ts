import { useEffect, useRef, useState } from 'preact/hooks'
import type { AnomalyItem } from '../../../api/contract/items.ts'
import type { AnomalyFilter, AnomalyList } from '../../data/anomaly-list.ts'
import { type Page, ask } from '../../rest/ask.ts'
import type { ProblemError } from '../../rest/problem.ts'

const PAGE = 200
/** All of history: nothing was measured before. */
const FROM = '1970-01-01T00:00:00Z'

/** What came before the page was opened, a page at a time as one scrolls down. */
export function useHistory(filter: AnomalyFilter, list: AnomalyList, changed: () => void) {
  const [next, setNext] = useState<string | null>(null)
  const [problem, setProblem] = useState<ProblemError | undefined>()
  const [isLoading, setLoading] = useState(true)
  const [attempt, setAttempt] = useState(0)
  const isAsking = useRef(false)
  const { kind, severity, meterId } = filter
  const params = { kind, severity, meterId, from: FROM, order: 'desc', state: 'any', limit: PAGE }
  const key = JSON.stringify(params)

  const asking = async (cursor: string | undefined, signal?: AbortSignal) => {
    try {
      const page = await ask<Page<AnomalyItem>>('/api/anomalies', { ...params, cursor }, signal)
      list.add(page.items)
      setNext(page.next)
      setProblem(undefined)
      changed()
    } catch (error) {
      if (signal?.aborted !== true) setProblem(error as ProblemError)
    }
    if (signal?.aborted !== true) setLoading(false)
  }

  useEffect(() => {
    const stopping = new AbortController()
    setLoading(true)
    void asking(undefined, stopping.signal)
    return () => stopping.abort()
  }, [key, attempt])

  const more = () => {
    if (next === null || isAsking.current) return
    isAsking.current = true
    void asking(next).finally(() => {
      isAsking.current = false
    })
  }
  const again = () => setAttempt((count) => count + 1)
  return { problem, isLoading, more, hasMore: next !== null, retry: again, refresh: again }
}
