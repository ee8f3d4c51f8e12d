import { useEffect, useRef, useState } from 'preact/hooks'
import type { ProblemError } from '../rest/problem.ts'

export interface Query<T> {
  /** The last answer, also while another one is waited for. */
  readonly data: T | undefined
  /** Why the last question had no answer. */
  readonly problem: ProblemError | undefined
  readonly isLoading: boolean
  readonly retry: () => void
}

interface State<T> {
  readonly key: string
  readonly data: T | undefined
  readonly problem: ProblemError | undefined
  readonly isLoading: boolean
}

interface Options {
  /** Ask again after so many ms, while the page is seen. */
  readonly everyMs?: number
  /** Keep the answer of another key until the new one is there. */
  readonly keep?: boolean
}

/** Asks when `key` changes; the question before it is given up. */
export function useQuery<T>(
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
  { everyMs, keep = false }: Options = {},
): Query<T> {
  const empty: State<T> = { key, data: undefined, problem: undefined, isLoading: true }
  const [state, setState] = useState(empty)
  const [attempt, setAttempt] = useState(0)
  const latest = useRef(load)
  latest.current = load
  useEffect(() => {
    const stopping = new AbortController()
    const { signal } = stopping
    let timer: ReturnType<typeof setTimeout> | undefined
    const run = () => {
      if (document.hidden && everyMs !== undefined) {
        again()
        return
      }
      latest.current(signal).then(
        (data) => {
          if (signal.aborted) return
          setState({ key, data, problem: undefined, isLoading: false })
          again()
        },
        (problem: unknown) => {
          if (signal.aborted) return
          setState((before) => ({
            ...before,
            key,
            problem: problem as ProblemError,
            isLoading: false,
          }))
          again()
        },
      )
    }
    const again = () => {
      if (everyMs !== undefined) timer = setTimeout(run, everyMs)
    }
    setState((before) => (keep || before.key === key ? { ...before, isLoading: true } : empty))
    run()
    return () => {
      stopping.abort()
      clearTimeout(timer)
    }
  }, [key, attempt, everyMs])
  const shown = keep || state.key === key ? state : empty
  return { ...shown, retry: () => setAttempt(attempt + 1) }
}
