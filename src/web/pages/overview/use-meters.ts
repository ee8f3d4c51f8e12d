import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { MeterItem } from '../../../api/contract/items.ts'
import { type MeterRow, renewedRow } from '../../data/fleet-rows.ts'
import { learnMeters } from '../../data/meter-infos.ts'
import { type Page, ask, askAll } from '../../rest/ask.ts'
import type { ProblemError } from '../../rest/problem.ts'

export const STATES = [
  { value: 'all', name: 'All' },
  { value: 'reporting', name: 'Reporting' },
  { value: 'silent', name: 'Silent' },
  { value: 'never', name: 'Never seen' },
] as const

export interface Filter {
  readonly search: string
  readonly place: string
  readonly state: (typeof STATES)[number]['value']
}

interface Listed {
  readonly rows: readonly MeterRow[]
  readonly next: string | null
}

const PAGE = 500
const REFRESH_MS = 20_000
/** A person types on: the api is asked when they pause. */
const TYPING_MS = 200

/** The meters that fit, a page at a time, looked at again now and then. */
export function useMeters(filter: Filter) {
  const [listed, setListed] = useState<Listed | undefined>()
  const [problem, setProblem] = useState<ProblemError | undefined>()
  const [attempt, setAttempt] = useState(0)
  const places = useRef(new Set<string>())
  const now = useRef(listed)
  now.current = listed
  const params = paramsOf(filter)

  const take = (items: readonly MeterItem[], next: string | null, before: readonly MeterRow[]) => {
    learnMeters(items)
    for (const { place } of items) if (place !== null) places.current.add(place)
    const known = new Map(now.current?.rows.map((row) => [row.item.meterId, row]))
    const rows = items.map((item) => renewedRow(known.get(item.meterId), item))
    setListed({ rows: [...before, ...rows], next })
    setProblem(undefined)
  }
  useLooks(JSON.stringify([params, attempt]), listed === undefined, async (signal) => {
    const count = Math.max(PAGE, now.current?.rows.length ?? 0)
    try {
      const query = { ...params, limit: PAGE }
      const { items, next } = await askAll<MeterItem>('/api/meters', query, count, signal)
      take(items, next, [])
    } catch (error) {
      if (!signal.aborted) setProblem(error as ProblemError)
    }
  })

  const isAsking = useRef(false)
  const more = () => {
    const { rows = [], next = null } = now.current ?? {}
    if (next === null || isAsking.current) return
    isAsking.current = true
    ask<Page<MeterItem>>('/api/meters', { ...params, limit: PAGE, cursor: next })
      .then((page) => {
        if (now.current?.next === next) take(page.items, page.next, rows)
      })
      .catch((error: unknown) => setProblem(error as ProblemError))
      .finally(() => {
        isAsking.current = false
      })
  }

  const rows = useMemo(
    () => (listed?.rows ?? []).filter((row) => fitsState(row, filter.state)),
    [listed, filter.state],
  )
  const byId = useMemo(() => new Map(rows.map((row) => [row.item.meterId, row])), [rows])
  return {
    ...{ rows, byId, problem, more },
    places: [...places.current].sort(),
    isFirst: listed === undefined && problem === undefined,
    hasMore: (listed?.next ?? null) !== null,
    retry: () => setAttempt(attempt + 1),
  }
}

/** Looks when `key` changes, and again and again while the page is seen. */
function useLooks(key: string, isFirst: boolean, look: (signal: AbortSignal) => Promise<void>) {
  const latest = useRef(look)
  latest.current = look
  useEffect(() => {
    const stopping = new AbortController()
    const { signal } = stopping
    let timer: ReturnType<typeof setTimeout>
    const run = async () => {
      if (!document.hidden) await latest.current(signal)
      if (!signal.aborted) timer = setTimeout(() => void run(), REFRESH_MS)
    }
    timer = setTimeout(() => void run(), isFirst ? 0 : TYPING_MS)
    return () => {
      stopping.abort()
      clearTimeout(timer)
    }
  }, [key])
}

function paramsOf({ search, place, state }: Filter) {
  return {
    search: search.trim() === '' ? undefined : search.trim(),
    place: place === '' ? undefined : place,
    silent: state === 'silent' ? true : state === 'reporting' ? false : undefined,
  }
}

/** The api tells silent ones from others; who never spoke is told apart here. */
function fitsState({ item }: MeterRow, state: Filter['state']): boolean {
  if (state === 'all') return true
  if (state === 'never') return item.lastAt === null
  return item.lastAt !== null
}
