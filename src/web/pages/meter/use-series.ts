import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Picture } from '../../chart/compose.ts'
import { type WidthChoice, WIDTHS, resolutionFor } from '../../chart/resolution.ts'
import { PRESETS, type View, liveView, movedOn, spanOf } from '../../chart/view.ts'
import { SeriesStore } from '../../data/series-store.ts'
import { useLive } from '../../parts/use-live.ts'
import { serverNowMs } from '../../rest/ask.ts'
import { nowMs } from '../../shell/clock.ts'
import { amend, place } from '../../shell/router.tsx'

export interface Series {
  readonly meterId: string
  readonly channel: string
  readonly intervalS: number | null
  readonly isEnergy: boolean
}

const DEFAULT_SPAN_MS = PRESETS[1].spanMs
/** While one zooms and pans nothing is fetched; when one pauses it is. */
const PAUSE_MS = 120

/** The view that the address tells of: from and to, or the last so many seconds. */
function viewInAddress(): View {
  const { searchParams } = place.peek()
  const [from, to] = ['from', 'to'].map((name) => Date.parse(searchParams.get(name) ?? ''))
  if (from! < to!) return { from: from!, to: to!, isLive: false }
  const lastS = Number(searchParams.get('last'))
  return liveView(lastS >= 10 ? lastS * 1_000 : DEFAULT_SPAN_MS, serverNowMs())
}

function choiceInAddress(): WidthChoice {
  const width = place.peek().searchParams.get('width')
  return WIDTHS.find((one) => one === width) ?? 'auto'
}

function toAddress(view: View, choice: WidthChoice): void {
  const seconds = Math.round(spanOf(view) / 1_000)
  amend({
    from: view.isLive ? undefined : new Date(view.from).toISOString(),
    to: view.isLive ? undefined : new Date(view.to).toISOString(),
    last: view.isLive ? String(seconds) : undefined,
    width: choice === 'auto' ? undefined : choice,
  })
}

/** What a chart of one series shows, and what it is drawn from. */
export function useSeries({ meterId, channel, intervalS, isEnergy }: Series) {
  const store = useMemo(
    () => new SeriesStore({ meterId, channel }, intervalS, isEnergy),
    [meterId, channel, intervalS, isEnergy],
  )
  const [chosen, setView] = useState(viewInAddress)
  const [choice, setChoice] = useState(choiceInAddress)
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
  useEffect(() => {
    const timer = setTimeout(() => toAddress(chosen, choice), 2 * PAUSE_MS)
    return () => clearTimeout(timer)
  }, [chosen, choice])
  useEffect(() => () => store.close(), [store])
  const version = store.version.value
  const picture: Picture = useMemo(() => store.picture(), [store, version])
  return {
    ...{ store, picture, view, setView, choice, setChoice, setPixels, note, version },
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
      began: (reason) => store.began(reason),
    },
  )
  useLive(
    { topic: 'windows', mode: 'every', meters, channels },
    { items: (items) => store.takeWindows(items) },
  )
  useLive(
    { topic: 'anomalies', mode: 'every', meters, channels },
    { items: (items) => store.takeAnomalies(items) },
  )
}
