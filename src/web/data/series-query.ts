import type {
  AnomalyItem,
  BaselineItem,
  ReadingItem,
  WindowItem,
} from '../../api/contract/items.ts'
import { widthMs } from '../chart/instant.ts'
import { POINTS_MAX, type Range, type Resolution } from '../chart/resolution.ts'
import { type Page, ask, askAll } from '../rest/ask.ts'

/** What a chart asks the api for. Ranges are ms UTC. */

export interface SeriesName {
  readonly meterId: string
  readonly channel: string
}

/** The most that the api gives in one page. */
const PAGE = 10_000
const ANOMALIES_MAX = 2_000

/** The api's time begins with 1970. */
const iso = (millis: number) => new Date(Math.max(0, millis)).toISOString()
const of = ({ meterId, channel }: SeriesName, { from, to }: Range) => ({
  ...{ meterId, channel, from: iso(from), to: iso(to) },
})

export async function askReadings(series: SeriesName, range: Range, signal?: AbortSignal) {
  const params = { ...of(series, range), limit: PAGE }
  const { items } = await askAll<ReadingItem>('/api/readings', params, 2 * POINTS_MAX, signal)
  return items
}

interface Chart<T> extends Page<T> {
  readonly width: string
}

export async function askWindows(
  series: SeriesName,
  range: Range,
  resolution: Exclude<Resolution, { kind: 'raw' }>,
  signal?: AbortSignal,
): Promise<{ readonly items: readonly WindowItem[]; readonly width: string }> {
  const params = of(series, range)
  if (resolution.kind === 'fitting') {
    const { points } = resolution
    return ask<Chart<WindowItem>>('/api/windows', { ...params, points }, signal)
  }
  const { width } = resolution
  // As a chart the api gives wider windows than those that it holds.
  const points = Math.ceil((range.to - range.from) / widthMs(width)) + 1
  if (points <= PAGE) {
    return ask<Chart<WindowItem>>('/api/windows', { ...params, width, points }, signal)
  }
  const sized = { ...params, width, limit: PAGE }
  const { items } = await askAll<WindowItem>('/api/windows', sized, 2 * POINTS_MAX, signal)
  return { items, width }
}

export async function askBaselines(
  series: SeriesName,
  range: Range,
  points: number,
  signal?: AbortSignal,
): Promise<readonly BaselineItem[]> {
  const params = { ...of(series, range), points: Math.min(points, PAGE) }
  const { items } = await ask<Chart<BaselineItem>>('/api/baselines', params, signal)
  return items
}

export async function askAnomalies(
  series: SeriesName,
  range: Range,
  signal?: AbortSignal,
): Promise<readonly AnomalyItem[]> {
  const params = { ...of(series, range), limit: ANOMALIES_MAX, order: 'desc' }
  return (await ask<Page<AnomalyItem>>('/api/anomalies', params, signal)).items
}

/** The first instant that is known of the series; undefined where there is none. */
export async function askFirst(series: SeriesName): Promise<number | undefined> {
  const params = { ...series, from: '1970-01-01T00:00:00Z', limit: 1, order: 'asc' }
  const { items } = await ask<Page<WindowItem>>('/api/windows', { ...params, width: '1h' })
  if (items[0] !== undefined) return Date.parse(items[0].start)
  const readings = await ask<Page<ReadingItem>>('/api/readings', params)
  return readings.items[0] === undefined ? undefined : Date.parse(readings.items[0].at)
}
