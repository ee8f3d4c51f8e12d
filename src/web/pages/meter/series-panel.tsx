import type { ReadonlySignal } from '@preact/signals'
import { useState } from 'preact/hooks'
import type { LatestValue } from '../../../api/contract/items.ts'
import { ChartBox } from '../../chart/chart-box.tsx'
import { extentOf } from '../../chart/compose.ts'
import { WIDTHS } from '../../chart/resolution.ts'
import { PRESETS, type View, liveView, spanOf, viewOf } from '../../chart/view.ts'
import { askFirst } from '../../data/series-query.ts'
import { Segmented } from '../../parts/segmented.tsx'
import { ProblemBox } from '../../parts/states.tsx'
import { serverNowMs } from '../../rest/ask.ts'
import { channelName, widthName } from '../../text/names.ts'
import { fullTime, spanText, timeText } from '../../text/times.ts'
import { DataTables } from './data-tables.tsx'
import { Legend } from './legend.tsx'
import { useChartHook } from './chart-hook.ts'
import type { ShownTime } from './shown-time.ts'
import { useSeries } from './use-series.ts'

interface PanelProps {
  readonly meterId: string
  readonly channel: string
  readonly unit: string
  readonly kind: LatestValue['kind']
  readonly zone: string
  readonly intervalS: number | null
  readonly lastMs: ReadonlySignal<number | null>
  readonly shown: ShownTime
}

/** The chart of one channel, what moves it, and its values as tables. */
export function SeriesPanel(props: PanelProps) {
  const { meterId, channel, kind, zone, intervalS, shown } = props
  const isEnergy = kind === 'cumulative'
  const series = useSeries({ meterId, channel, intervalS, isEnergy }, shown)
  const { picture, view, store, problem } = series
  const { setView } = shown
  const unit = picture.isBars ? 'Wh' : props.unit
  useChartHook(store, picture, view, channel)
  const goLive = () => setView(liveView(Math.min(spanOf(view), PRESETS[3].spanMs), serverNowMs()))
  const isEmpty = extentOf(picture, view.from, view.to) === undefined
  return (
    <>
      <section class="panel chart-panel" aria-label={`Chart of ${channelName(channel)}`}>
        <ChartToolbar {...{ meterId, channel, view, goLive, shown }} />
        {problem === undefined ? null : (
          <ProblemBox problem={problem} retry={() => store.reload()} slim />
        )}
        <div class={`chart-area ${series.isLoading ? 'is-loading' : ''}`}>
          <ChartBox
            picture={picture}
            view={view}
            onView={setView}
            onLive={goLive}
            unit={unit}
            zone={zone}
            label={labelOf(props, view, picture.width)}
            onPixels={series.setPixels}
          />
          {isEmpty && !series.isLoading && problem === undefined ? (
            <NothingHere view={view} lastMs={props.lastMs.value} zone={zone} setView={setView} />
          ) : null}
        </div>
        <Legend picture={picture} view={view} note={series.note} zone={zone} />
      </section>
      <DataTables {...{ meterId, channel, zone, unit, picture, view }} />
    </>
  )
}

function labelOf({ channel, zone }: PanelProps, view: View, width: string | undefined): string {
  const what = width === undefined ? 'readings' : `windows of ${widthName(width)}`
  const now = serverNowMs()
  const span = view.isLive
    ? `the last ${spanName(spanOf(view))}, live`
    : `${fullTime(view.from, zone, now)} to ${fullTime(view.to, zone, now)}`
  return `${channelName(channel)}, ${what}, ${span}`
}

function spanName(spanMs: number): string {
  return (
    PRESETS.find((preset) => isNear(preset.spanMs, spanMs))?.name ??
    `${Math.round(spanMs / 60_000)} min`
  )
}

const isNear = (a: number, b: number) => Math.abs(a - b) < 1

interface ToolbarProps {
  readonly meterId: string
  readonly channel: string
  readonly view: View
  readonly goLive: () => void
  readonly shown: ShownTime
}

function ChartToolbar({ meterId, channel, view, goLive, shown }: ToolbarProps) {
  const { setView, choice, setChoice } = shown
  const [hasFailed, setFailed] = useState(false)
  const preset = view.isLive
    ? PRESETS.find(({ spanMs }) => isNear(spanMs, spanOf(view)))?.name
    : undefined
  const choose = (name: string) => {
    const found = PRESETS.find((one) => one.name === name)
    if (found !== undefined) setView(liveView(found.spanMs, serverNowMs()))
  }
  const showAll = () => {
    const now = serverNowMs()
    askFirst({ meterId, channel }).then(
      (first) => first !== undefined && setView(viewOf(first, now, now)),
      () => setFailed(true),
    )
  }
  return (
    <div class="toolbar">
      <Segmented label="Time shown" options={SPANS} value={preset} onChange={choose} />
      <button type="button" class="button" onClick={showAll}>
        All
      </button>
      <button
        type="button"
        class={`button live-button ${view.isLive ? 'is-live' : ''}`}
        onClick={goLive}
        aria-pressed={view.isLive}
      >
        <span class="dot" aria-hidden="true" /> Live
      </button>
      {hasFailed ? <span class="muted">The first reading could not be asked for</span> : null}
      <label class="select push">
        <span class="select-name">Width</span>
        <select
          value={choice}
          onChange={({ currentTarget }) =>
            setChoice(WIDTHS.find((width) => width === currentTarget.value) ?? 'auto')
          }
        >
          {WIDTHS.map((width) => (
            <option key={width} value={width}>
              {WIDTH_NAMES[width]}
            </option>
          ))}
        </select>
      </label>
    </div>
  )
}

const SPANS: readonly { readonly value: string; readonly name: string }[] = PRESETS.map(
  ({ name }) => ({ value: name, name }),
)

const WIDTH_NAMES: Record<(typeof WIDTHS)[number], string> = {
  auto: 'Automatic',
  raw: 'Readings',
  '1m': '1 min',
  '15m': '15 min',
  '1h': '1 h',
  '1d': 'Days (UTC)',
}

interface NothingProps {
  readonly view: View
  readonly lastMs: number | null
  readonly zone: string
  readonly setView: (view: View) => void
}

function NothingHere({ view, lastMs, zone, setView }: NothingProps) {
  const now = serverNowMs()
  const isElsewhere = lastMs !== null && (lastMs < view.from || lastMs > view.to)
  return (
    <div class="chart-empty">
      <p class="empty-title">No readings in this time</p>
      <p class="muted">
        {timeText(view.from, zone, 'day')}, {spanText(view.from, view.to, zone)}
      </p>
      {!isElsewhere ? null : (
        <button
          type="button"
          class="button"
          onClick={() =>
            setView(viewOf(lastMs - spanOf(view) * 0.8, lastMs + spanOf(view) * 0.2, now))
          }
        >
          Go to the last reading, {fullTime(lastMs, zone, now)}
        </button>
      )}
    </div>
  )
}
