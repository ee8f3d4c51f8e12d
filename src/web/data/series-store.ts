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
import {
  type Range,
  type Resolution,
  isHeld,
  rangeToLoad,
  sameResolution,
  widened,
} from '../chart/resolution.ts'
import { Revisions } from '../chart/revisions.ts'
import type { ProblemError } from '../rest/problem.ts'
import { JOIN_ATTEMPTS_MAX, Joining, joinPauseMs } from './joining.ts'
import * as query from './series-query.ts'
import { Timers } from './timers.ts'

const SETTLE_AFTER_MS = 5_000
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
  private readonly readingsJoining = new Joining()
  private windowsJoining = new Joining()
  /** The first window of each width that the feed told. */
  private readonly firstLive = new Map<string, string>()
  private readonly timers = new Timers()
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
    const { readings, width, intervalS, isEnergy } = this
    return compose({
      ...{ width, intervalS, isEnergy, readings: readings.items },
      windows:
        width === undefined ? undefined : this.windows.items.filter((w) => w.width === width),
      baselines: this.baselines.items,
      anomalies: this.anomalies.items,
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
    this.readingsJoining.heard(mine.map(({ at }) => at))
    const before = this.readings.newest?.at
    if (this.readings.add(mine) > 0) this.changed()
    if (this.readings.newest?.at !== before) this.newestFrom = 'live'
    if (this.readings.items.length > READINGS_KEPT && this.showing !== undefined) {
      const { from, to } = this.showing.view
      this.readings.keep((2 * from - to) * 1_000, Infinity)
    }
  }

  /** Of every width: another one may be shown next. */
  takeWindows(items: readonly WindowItem[]): void {
    // A day of the feed is the meter's own; that of the chart is one of UTC.
    const isMine = ({ channel, width }: WindowItem) =>
      channel === this.series.channel && isHeld(width)
    const mine = items.filter(isMine)
    for (const { width, start } of mine) {
      if (!this.firstLive.has(width)) this.firstLive.set(width, start)
    }
    this.windowsJoining.heard(mine.filter(({ width }) => width === this.width).map(startOf))
    if (this.windows.add(mine) > 0) this.changed()
    // A verdict of a quarter of an hour comes with its baseline, which the feed does not tell.
    if (mine.some(({ width }) => width === '15m'))
      this.timers.after(2_000, () => this.askOverlays())
    // Wider windows are made of hours when they are asked for.
    const isMade = this.width !== undefined && !isHeld(this.width)
    if (isMade && mine.some(({ width }) => width === '1h'))
      this.timers.after(2_000, () => this.reload())
  }

  takeAnomalies(items: readonly AnomalyItem[]): void {
    const mine = items.filter(({ channel }) => channel === this.series.channel)
    if (this.anomalies.add(mine) > 0) this.changed()
  }

  /** The feed of readings begins here; with a reason: after a cut that it could not bridge. */
  readingsBegan(reason: string | undefined): void {
    const from = this.heardMs - BEFORE_MS
    this.readingsJoining.begin()
    if (reason !== undefined) this.reload()
    // Also where nothing comes any more: the last may have come in this moment.
    this.timers.after(SETTLE_AFTER_MS, () => this.askReadings(from))
    this.join(0, this.readingsJoining, (fromMs) => this.askReadings(fromMs - BEFORE_MS))
  }

  windowsBegan(reason: string | undefined): void {
    this.firstLive.clear()
    if (reason !== undefined) this.reload()
    this.joinWindows()
    this.timers.after(SETTLE_AFTER_MS, () => this.askOverlays())
  }

  close(): void {
    this.stopping.abort()
    this.timers.close()
  }

  private joinWindows(): void {
    const { width } = this
    const joining = new Joining()
    this.windowsJoining = joining
    if (width === undefined || !isHeld(width)) return
    joining.begin()
    const first = this.firstLive.get(width)
    if (first !== undefined) joining.heard([first])
    this.join(0, joining, (fromMs) => this.askWindows(fromMs - 2 * widthMs(width), width))
  }

  /** Asks, with growing pauses, until nothing is missing between REST and the feed. */
  private join(attempt: number, joining: Joining, askAgain: (fromMs: number) => Promise<void>) {
    this.timers.after(joinPauseMs(attempt), async () => {
      if (joining.isOver || (joining !== this.readingsJoining && joining !== this.windowsJoining)) {
        return
      }
      const from = joining.askFrom
      // Where nothing has come yet, nothing is missing yet.
      if (from !== undefined) {
        if (attempt >= JOIN_ATTEMPTS_MAX || this.isBeforeAll(from)) return
        await askAgain(Date.parse(from))
      }
      this.join(from === undefined ? attempt : attempt + 1, joining, askAgain)
    })
  }

  /** What was measured before all that is shown is not missed. */
  private isBeforeAll(time: string): boolean {
    const { from = 0, to = 0 } = this.showing?.view ?? {}
    return Date.parse(time) < 2 * from - to
  }

  private told(items: readonly ReadingItem[]): void {
    this.readingsJoining.told(items.map(({ at }) => at))
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
      const line =
        resolution.kind === 'raw'
          ? this.loadReadings(range, signal)
          : this.loadWindows(range, widened(resolution, range, view), signal)
      await Promise.all([line, this.overlays(range, resolution, signal)])
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

  private async loadReadings(range: Range, signal: AbortSignal): Promise<void> {
    this.told(await query.askReadings(this.series, range, signal))
    this.width = undefined
  }

  private async loadWindows(
    range: Range,
    resolution: Exclude<Resolution, { kind: 'raw' }>,
    signal: AbortSignal,
  ): Promise<void> {
    const { items, width } = await query.askWindows(this.series, range, resolution, signal)
    const isOther = width !== this.width
    this.width = width
    this.windows.add(items)
    if (isOther) this.joinWindows()
    this.windowsJoining.told(items.map(startOf))
    if (this.isEnergy || widthMs(width) > TAIL_WIDTH_MS) return
    const newest = items.at(-1)
    const from = Math.max(range.to - 2 * TAIL_WIDTH_MS, Date.parse(newest?.end ?? '') || 0)
    this.told(await query.askReadings(this.series, { from, to: range.to }, signal))
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

  private async askReadings(fromMs: number): Promise<void> {
    await this.asking(async (range) => {
      this.told(await query.askReadings(this.series, range))
    }, fromMs)
  }

  private async askWindows(fromMs: number, width: string): Promise<void> {
    await this.asking(async (range) => {
      const resolution = { kind: 'width', width } as const
      const { items } = await query.askWindows(this.series, range, resolution)
      this.windows.add(items)
      this.windowsJoining.told(items.map(startOf))
    }, fromMs)
  }

  /** Of what the store has had since. */
  private async asking(ask: (range: Range) => Promise<void>, fromMs: number): Promise<void> {
    try {
      await ask({ from: fromMs, to: Date.now() + BEFORE_MS })
      this.changed()
    } catch (error) {
      this.problem.value = error as ProblemError
    }
  }
}

const startOf = ({ start }: { readonly start: string }) => start
