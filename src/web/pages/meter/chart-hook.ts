import { useEffect } from 'preact/hooks'
import type { Picture } from '../../chart/compose.ts'
import type { View } from '../../chart/view.ts'
import type { SeriesStore } from '../../data/series-store.ts'

/** What a test, or a person at the browser's console, may ask of the chart that is shown. */
export interface ChartHook {
  readonly channel: string
  /** The readings that the chart has, microseconds since 1970 and value. */
  readonly readings: () => readonly (readonly [at: number, value: number | null])[]
  readonly picture: () => Picture
  readonly view: () => View
}

declare global {
  interface Window {
    meterloomChart?: ChartHook
  }
}

/** Also says on the page's root which point is the newest and where it came from. */
export function useChartHook(
  store: SeriesStore,
  picture: Picture,
  view: View,
  channel: string,
): void {
  useEffect(() => {
    window.meterloomChart = {
      channel,
      readings: () => store.readings.items.map(({ at, value }) => [at, value] as const),
      picture: () => picture,
      view: () => view,
    }
    const { dataset } = document.documentElement
    dataset['newestAt'] = String(store.readings.newest?.at ?? '')
    dataset['newestFrom'] = store.newestFrom
  }, [store, picture, view, channel])
}
