import { useMemo, useState } from 'preact/hooks'
import type { WindowItem } from '../../../api/contract/items.ts'
import { Revisions } from '../../chart/revisions.ts'
import { useLive } from '../../parts/use-live.ts'
import { useQuery } from '../../parts/use-query.ts'
import { type Page, ask } from '../../rest/ask.ts'
import type { TableProps } from './table-props.ts'

export const WINDOWS_MAX = 1_000
const MINUTE_MS = 60_000

/** The windows of one width in the time that is shown, the newest first, as they close. */
export function useWindows({ meterId, channel, view }: TableProps, width: string) {
  // By whole minutes, so that a live view does not ask anew each second.
  const from = Math.floor(view.from / MINUTE_MS) * MINUTE_MS
  const to = Math.ceil(view.to / MINUTE_MS) * MINUTE_MS
  const known = useMemo(() => new Revisions<WindowItem>(), [meterId, channel, width])
  const [version, setVersion] = useState(0)
  const params = {
    ...{ meterId, channel, width, order: 'desc', limit: WINDOWS_MAX },
    from: new Date(Math.max(0, from)).toISOString(),
    to: new Date(to).toISOString(),
  }
  const key = JSON.stringify([meterId, channel, width, from, view.isLive ? 0 : to])
  const query = useQuery(key, (signal) => ask<Page<WindowItem>>('/api/windows', params, signal), {
    keep: true,
  })
  useLive(
    { topic: 'windows', mode: 'every', meters: [meterId], channels: [channel], widths: [width] },
    {
      items: (items) => {
        if (known.add(items) > 0) setVersion((before) => before + 1)
      },
    },
  )
  const { data } = query
  const rows = useMemo(() => {
    known.add((data?.items ?? []).filter((item) => item.width === width))
    const isSeen = (at: number) => at >= from && at < to
    return known.items.filter(({ start }) => isSeen(Date.parse(start))).toReversed()
  }, [data, known, version, from, to])
  return { ...query, rows, hasMore: (data?.next ?? null) !== null }
}
