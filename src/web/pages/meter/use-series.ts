import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Picture } from '../../chart/compose.ts'
import { resolutionFor } from '../../chart/resolution.ts'
import { movedOn, spanOf } from '../../chart/view.ts'
import { SeriesStore } from '../../data/series-store.ts'
import { useLive } from '../../parts/use-live.ts'
import { serverNowMs } from '../../rest/ask.ts'
import { nowMs } from '../../shell/clock.ts'
import type { ShownTime } from './shown-time.ts'

export interface Series {
  readonly meterId: string
  readonly channel: string
  readonly intervalS: number | null
  readonly isEnergy: boolean
}

/** While one zooms and pans nothing is fetched; when one pauses it is. */
const PAUSE_MS = 120

/** What a chart of one series shows, and what it is drawn from. */
export function useSeries({ meterId, channel, intervalS, isEnergy }: Series, shown: ShownTime) {
  const { chosen, choice } = shown
  const store = useMemo(
    () => new SeriesStore({ meterId, channel }, intervalS, isEnergy),
    [meterId, channel, intervalS, isEnergy],
  )
  const [pixels, setPixels] = useState(900)
  useFeed(store, meterId, channel)
  const now = nowMs.value
  // A live view moves on with the clock.
  const view = useMemo(() => movedOn(chosen, now), [chosen, chosen.isLive ? now : 0])
  const { resolution, note } = resolutionFor({
    ...{ choice, pixels, intervalS, isEnergy },
    spanMs: spanOf(view),
  })
  const isFirst = useRef(true)
  useEffect(() => {
    const show = () => {
      isFirst.current = false
      store.show({ view, resolution, nowMs: serverNowMs() })
    }
    const timer = setTimeout(show, isFirst.current ? 0 : PAUSE_MS)
    return () => clearTimeout(timer)
  }, [store, view.from, view.to, JSON.stringify(resolution)])
  useEffect(() => () => store.close(), [store])
  const version = store.version.value
  const picture: Picture = useMemo(() => store.picture(), [store, version])
  return {
    ...{ store, picture, view, setPixels, note },
    problem: store.problem.value,
    isLoading: store.isLoading.value,
  }
}

/** Readings, windows and verdicts of the meter, each of them once. */
function useFeed(store: SeriesStore, meterId: string, channel: string): void {
  const meters = [meterId]
  const channels = [channel]
  useLive(
    { topic: 'readings', mode: 'every', meters, channels },
    {
      items: (items) => store.takeReadings(items),
      began: (reason) => store.readingsBegan(reason),
    },
  )
  useLive(
    { topic: 'windows', mode: 'every', meters, channels },
    {
      items: (items) => store.takeWindows(items),
      began: (reason) => store.windowsBegan(reason),
    },
  )
  useLive(
    { topic: 'anomalies', mode: 'every', meters, channels },
    { items: (items) => store.takeAnomalies(items) },
  )
}
