import { signal } from '@preact/signals'
import type {
  AnomalyItem,
  BaselineItem,
  ReadingItem,
  WindowItem,
} from '../../api/contract/items.ts'
import { type Picture, compose } from '../chart/compose.ts'
import { widthMs } from '../chart/instant.ts'
import { Readings } from '../chart/readings.ts'
import { type Range, type Resolution, rangeToLoad, sameResolution } from '../chart/resolution.ts'
import { Revisions } from '../chart/revisions.ts'
import type { ProblemError } from '../rest/problem.ts'
import { Joining } from './joining.ts'
import * as query from './series-query.ts'

/** What is asked again after the feed has begun: the store may be behind the feed by a moment. */
const JOIN_AFTER_MS = [400, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]
const SETTLE_AFTER_MS = [2_500, 12_000]
/** How far before the feed's begin is asked again: what was late comes along. */
const BEFORE_MS = 120_000
/** The tail of readings behind the newest window is fetched for widths up to this. */
const TAIL_WIDTH_MS = 900_000
const READINGS_KEPT = 60_000

export interface Showing {
  readonly view: Range
  readonly resolution: Resolution
  readonly nowMs: number
}

/** Of one series of a meter: what the chart has, by REST and by the live feed alike. */
export class SeriesStore {
  /** Rises with each change of what is here. */
  readonly version = signal(0)
  readonly problem = signal<ProblemError | undefined>(undefined)
  readonly isLoading = signal(true)
  /** The width of the windows that are here; undefined where readings are shown. */
  width: string | undefined
  readonly readings = new Readings()
  /** Where the newest reading came from. */
  newestFrom: 'live' | 'rest' | '' = ''
  private readonly series: query.SeriesName
  private readonly intervalS: number | null
  private readonly isEnergy: boolean
  private readonly windows = new Revisions<WindowItem>()
  private readonly baselines = new Revisions<BaselineItem>()
  private readonly anomalies = new Revisions<AnomalyItem>()
  private readonly joining = new Joining()
  private readonly timers = new Set<ReturnType<typeof setTimeout>>()
  private showing: Showing | undefined
  private loaded: { readonly resolution: Resolution; readonly range: Range } | undefined
  private loading: { readonly resolution: Resolution; readonly range: Range } | undefined
  private stopping = new AbortController()
  /** When something was last heard of the feed, ms: what came since a cut is asked for. */
  private heardMs = Date.now()

  constructor(series: query.SeriesName, intervalS: number | null, isEnergy: boolean) {
    this.series = series
    this.intervalS = intervalS
    this.isEnergy = isEnergy
  }

  picture(): Picture {
    const isRaw = this.width === undefined
    return compose({
      readings: this.readings.items,
      windows: isRaw ? undefined : this.windows.items,
      width: this.width,
      baselines: this.baselines.items,
      anomalies: this.anomalies.items,
      intervalS: this.intervalS,
      isEnergy: this.isEnergy,
    })
  }

  /** Fetches what is missing of what is to be shown. */
  show(showing: Showing): void {
    this.showing = showing
    const { view, resolution, nowMs } = showing
    const has = [this.loading, this.loaded].find(
      (one) => one !== undefined && sameResolution(one.resolution, resolution),
    )
    const range = rangeToLoad(view, has?.range, nowMs)
    if (range !== undefined) void this.load(resolution, range, showing)
  }

  /** Forgets what was fetched, and fetches it again. */
  reload(): void {
    this.loaded = this.loading = undefined
    if (this.showing !== undefined) this.show(this.showing)
  }

  takeReadings(items: readonly ReadingItem[]): void {
    const mine = items.filter(({ channel }) => channel === this.series.channel)
    if (mine.length === 0) return
    this.heardMs = Date.now()
    this.joining.heard(mine)
    const before = this.readings.newest?.at
    if (this.readings.add(mine) > 0) this.changed()
    if (this.readings.newest?.at !== before) this.newestFrom = 'live'
    if (this.readings.items.length > READINGS_KEPT && this.showing !== undefined) {
      const { from, to } = this.showing.view
      this.readings.keep((2 * from - to) * 1_000, Infinity)
    }
  }

  takeWindows(items: readonly WindowItem[]): void {
    const mine = items.filter(({ channel }) => channel === this.series.channel)
    if (this.windows.add(mine.filter(({ width }) => width === this.width)) > 0) this.changed()
    // A verdict of a quarter of an hour comes with its baseline, which the feed does not tell.
    if (mine.some(({ width }) => width === '15m')) this.after([2_000], () => this.askOverlays())
  }

  takeAnomalies(items: readonly AnomalyItem[]): void {
    if (this.anomalies.add(items.filter(({ channel }) => channel === this.series.channel)) > 0) {
      this.changed()
    }
  }

  /** The feed begins here; with a reason: after a cut that it could not bridge. */
  began(reason: string | undefined): void {
    const from = this.heardMs - BEFORE_MS
    this.joining.begin()
    if (reason !== undefined) this.reload()
    this.after(SETTLE_AFTER_MS, () => this.askTail(from))
    this.join(0, from)
  }

  close(): void {
    this.stopping.abort()
    for (const timer of this.timers) clearTimeout(timer)
  }

  private join(attempt: number, from: number): void {
    const ms = JOIN_AFTER_MS[attempt]
    if (ms === undefined) return
    this.after([ms], () => {
      const first = this.joining.askFrom
      // Nothing has come yet: the next look is as good as this one.
      if (first === undefined) {
        if (!this.joining.isOver) this.join(attempt, from)
        return
      }
      // What was measured before all that is shown is not missed.
      const { from: seenFrom = 0, to: seenTo = 0 } = this.showing?.view ?? {}
      const oldest = 2 * seenFrom - seenTo
      if (Date.parse(first) < oldest) return
      const askFrom = Math.max(oldest, Math.min(from, Date.parse(first) - BEFORE_MS))
      void this.askTail(askFrom).then(() => {
        if (!this.joining.isOver) this.join(attempt + 1, from)
      })
    })
  }

  private after(delaysMs: readonly number[], work: () => unknown): void {
    for (const ms of delaysMs) {
      const timer = setTimeout(() => {
        this.timers.delete(timer)
        work()
      }, ms)
      this.timers.add(timer)
    }
  }

  private told(items: readonly ReadingItem[]): void {
    this.joining.told(items)
    const before = this.readings.newest?.at
    this.readings.add(items)
    if (this.readings.newest?.at !== before) this.newestFrom = 'rest'
  }

  private changed(): void {
    this.version.value++
  }

  private async load(resolution: Resolution, range: Range, { view, nowMs }: Showing) {
    const loading = { resolution, range }
    this.loading = loading
    this.stopping.abort()
    this.stopping = new AbortController()
    const { signal } = this.stopping
    this.isLoading.value = true
    try {
      const overlays = this.overlays(range, resolution, signal)
      if (resolution.kind === 'raw') await this.loadReadings(range, signal)
      else await this.loadWindows(range, this.scaled(resolution, range, view), signal)
      await overlays
      // What comes from now on comes by the feed.
      const to = range.to >= nowMs - 2_000 ? Infinity : range.to
      this.loaded = { resolution, range: { from: range.from, to } }
      this.problem.value = undefined
    } catch (error) {
      if (signal.aborted) return
      this.problem.value = error as ProblemError
    }
    if (this.loading === loading) this.loading = undefined
    this.isLoading.value = false
    this.changed()
  }

  /** More than the view is fetched, with as many points for each pixel. */
  private scaled<R extends Resolution>(resolution: R, range: Range, view: Range): R {
    if (resolution.kind !== 'fitting') return resolution
    const share = (range.to - range.from) / (view.to - view.from)
    return { ...resolution, points: Math.max(2, Math.round(resolution.points * share)) }
  }

  private async loadReadings(range: Range, signal: AbortSignal): Promise<void> {
    const items = await query.askReadings(this.series, range, signal)
    this.told(items)
    this.width = undefined
  }

  private async loadWindows(
    range: Range,
    resolution: Exclude<Resolution, { kind: 'raw' }>,
    signal: AbortSignal,
  ): Promise<void> {
    const { items, width } = await query.askWindows(this.series, range, resolution, signal)
    if (width !== this.width) this.windows.clear()
    this.width = width
    this.windows.add(items)
    if (this.isEnergy || widthMs(width) > TAIL_WIDTH_MS) return
    const newest = items.at(-1)
    const from = Math.max(range.to - 2 * TAIL_WIDTH_MS, Date.parse(newest?.end ?? '') || 0)
    const tail = await query.askReadings(this.series, { from, to: range.to }, signal)
    this.told(tail)
  }

  private async overlays(range: Range, resolution: Resolution, signal: AbortSignal) {
    const points = resolution.kind === 'fitting' ? resolution.points : 1_000
    const [baselines, anomalies] = await Promise.all([
      query.askBaselines(this.series, range, points, signal),
      query.askAnomalies(this.series, range, signal),
    ])
    this.baselines.clear()
    this.baselines.add(baselines)
    this.anomalies.add(anomalies)
  }

  private async askOverlays(): Promise<void> {
    const { loaded } = this
    if (loaded === undefined) return
    const range = { from: loaded.range.from, to: Math.min(loaded.range.to, Date.now()) }
    await this.overlays(range, loaded.resolution, this.stopping.signal).catch(() => undefined)
    this.changed()
  }

  /** What the store has had since: readings, and windows of the width that is shown. */
  private async askTail(fromMs: number): Promise<void> {
    const range = { from: fromMs, to: Date.now() + BEFORE_MS }
    const { width } = this
    try {
      const items = await query.askReadings(this.series, range)
      this.told(items)
      if (width !== undefined) {
        const span = { from: fromMs - 2 * widthMs(width), to: range.to }
        const resolution = { kind: 'width', width } as const
        const windows = await query.askWindows(this.series, span, resolution)
        if (width === this.width) this.windows.add(windows.items)
      }
      this.changed()
    } catch (error) {
      this.problem.value = error as ProblemError
    }
  }
}
