import { useEffect, useRef } from 'preact/hooks'
import type { AnomalyItem, ReadingItem, WindowItem } from '../../api/contract/items.ts'
import { Batch } from '../live/batch.ts'
import { live } from '../live/client.ts'
import type { Wish } from '../live/session.ts'

interface Items {
  readonly readings: ReadingItem
  readonly windows: WindowItem
  readonly anomalies: AnomalyItem
}

interface Handlers<T> {
  /** What came since the last frame. */
  readonly items: (items: readonly T[]) => void
  readonly began?: (reason: string | undefined) => void
  readonly resumed?: () => void
}

/** A page that is not seen has no frames; what comes meanwhile must not pile up. */
const HIDDEN_MS = 500

export function onFrame(work: () => void): void {
  let isDone = false
  const once = () => {
    if (isDone) return
    isDone = true
    work()
  }
  requestAnimationFrame(once)
  setTimeout(once, HIDDEN_MS)
}

/** A subscription for as long as the component is there and `wish` is the same. */
export function useLive<Topic extends keyof Items>(
  wish: (Wish & { readonly topic: Topic }) | undefined,
  handlers: Handlers<Items[Topic]>,
): void {
  const latest = useRef(handlers)
  latest.current = handlers
  useEffect(() => {
    if (wish === undefined) return undefined
    const batch = new Batch<Items[Topic]>(onFrame, (items) => {
      if (!isOver) latest.current.items(items)
    })
    let isOver = false
    const end = live.subscribe(wish, {
      items: ({ items }) => batch.add(items as unknown as readonly Items[Topic][]),
      began: (reason) => latest.current.began?.(reason),
      resumed: () => latest.current.resumed?.(),
    })
    return () => {
      isOver = true
      end()
    }
  }, [JSON.stringify(wish)])
}
