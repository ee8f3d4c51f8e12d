import type { AnomalyItem, BaselineItem, WindowItem } from '../../api/contract/items.ts'
import { widthMs } from './instant.ts'
import { GAP_INTERVALS, type Line, medianGap, withGaps } from './line.ts'
import type { Reading } from './readings.ts'

/** What is drawn. Times are ms UTC, ascending. */
export interface Picture {
  /** The readings, or the windows' values at their middles. */
  readonly line: Line
  /** Readings that are newer than the newest window; empty where readings are the line. */
  readonly tail: Line
  /** Whether the values are amounts of windows, drawn as bars. */
  readonly isBars: boolean
  /** The windows behind the line; empty where it is one of readings. */
  readonly panes: readonly Pane[]
  readonly bands: readonly Band[]
  readonly marks: readonly Mark[]
  /** The width of the windows; undefined where the line is one of readings. */
  readonly width: string | undefined
}

export interface Pane {
  readonly from: number
  readonly to: number
  readonly min: number | null
  readonly max: number | null
  readonly completeness: number | null
  readonly item: WindowItem
}

/** What was expected of a stretch of time. */
export interface Band {
  readonly from: number
  readonly to: number
  readonly lower: number | null
  readonly upper: number | null
  readonly centre: number | null
}

export interface Mark {
  readonly from: number
  readonly to: number
  readonly value: number | null
  readonly isHigh: boolean
  readonly isRun: boolean
  readonly item: AnomalyItem
}

export interface Ingredients {
  readonly readings: readonly Reading[]
  /** Of one width; undefined: the line is one of readings. */
  readonly windows: readonly WindowItem[] | undefined
  readonly width: string | undefined
  readonly baselines: readonly BaselineItem[]
  readonly anomalies: readonly AnomalyItem[]
  readonly intervalS: number | null
  readonly isEnergy: boolean
}

const NOTHING: Line = { x: [], y: [] }

export function compose(from: Ingredients): Picture {
  const { windows, width, isEnergy } = from
  const isRaw = windows === undefined || width === undefined
  const panes = isRaw ? [] : panesOf(windows, isEnergy)
  const newest = panes.at(-1)?.to ?? -Infinity
  const readings = readingLine(from.readings, from.intervalS)
  return {
    line: isRaw ? readings : paneLine(panes, from),
    tail: isRaw || isEnergy ? NOTHING : after(readings, newest),
    isBars: !isRaw && isEnergy,
    panes,
    // A register's baseline is of its energy, which readings do not show.
    bands: isRaw && isEnergy ? [] : bandsOf(from.baselines, isEnergy ? width : undefined),
    marks: isRaw && isEnergy ? [] : marksOf(from.anomalies, isEnergy ? width : undefined),
    width: isRaw ? undefined : width,
  }
}

function readingLine(readings: readonly Reading[], intervalS: number | null): Line {
  // What is BAD takes part in nothing, here as in the windows.
  const good = readings.filter(({ quality, value }) => quality !== 'BAD' && value !== null)
  const x = good.map(({ at }) => at / 1_000)
  const interval = intervalS === null ? medianGap(x) : intervalS * 1_000
  const line = { x, y: good.map(({ value }) => value) }
  return withGaps(line, interval === undefined ? undefined : interval * GAP_INTERVALS)
}

function panesOf(windows: readonly WindowItem[], isEnergy: boolean): Pane[] {
  return windows
    .filter(({ count, energyWh }) => (isEnergy ? energyWh !== null : count > 0))
    .map((item) => ({
      from: Date.parse(item.start),
      to: Date.parse(item.end),
      ...(isEnergy ? { min: null, max: null } : { min: item.min, max: item.max }),
      completeness: item.completeness,
      item,
    }))
}

function paneLine(panes: readonly Pane[], { width, intervalS, isEnergy }: Ingredients): Line {
  const x = panes.map(({ from, to }) => (from + to) / 2)
  const y = panes.map(({ item }) => (isEnergy ? item.energyWh : item.mean))
  // Bars stand for themselves: nothing joins them.
  if (isEnergy) return { x, y }
  const length = widthMs(width ?? '')
  return withGaps({ x, y }, Math.max(1.5 * length, GAP_INTERVALS * (intervalS ?? 0) * 1_000))
}

function after({ x, y }: Line, at: number): Line {
  const first = x.findIndex((each) => each >= at)
  return first < 0 ? NOTHING : { x: x.slice(first), y: y.slice(first) }
}

/** Amounts of energy grow with the width of their windows: an hour has more than 15 min. */
function shareOf(width: string, shown: string | undefined): number {
  return shown === undefined ? 1 : widthMs(shown) / widthMs(width)
}

function bandsOf(baselines: readonly BaselineItem[], shown: string | undefined): Band[] {
  return baselines.map(({ start, width, lower, upper, centre }, index) => {
    const from = Date.parse(start)
    const by = shareOf(width, shown)
    const next = baselines[index + 1]
    const to = from + widthMs(width)
    return {
      from,
      // What is told for a width of a chart reaches to the next one of it.
      to: next === undefined ? to : Math.min(to, Date.parse(next.start)),
      lower: lower === null ? null : lower * by,
      upper: upper === null ? null : upper * by,
      centre: centre === null ? null : centre * by,
    }
  })
}

function marksOf(anomalies: readonly AnomalyItem[], shown: string | undefined): Mark[] {
  return anomalies
    .filter(({ state }) => state === 'active')
    .map((item) => ({
      from: Date.parse(item.start),
      to: Date.parse(item.end),
      // A bar of another width is another amount.
      value: shown === undefined || shown === item.width ? item.value : null,
      isHigh: item.severity === 'high',
      isRun: item.kind === 'consecutive_anomalies',
      item,
    }))
}

/** Least and greatest of what is seen in `[from, to]`; undefined where there is nothing. */
export function extentOf(picture: Picture, from: number, to: number): [number, number] | undefined {
  let least = Infinity
  let greatest = -Infinity
  const take = (value: number | null | undefined) => {
    if (value === null || value === undefined) return
    if (value < least) least = value
    if (value > greatest) greatest = value
  }
  for (const { x, y } of [picture.line, picture.tail]) {
    for (let i = 0; i < x.length; i++) if (x[i]! >= from && x[i]! <= to) take(y[i])
  }
  const isSeen = (span: { from: number; to: number }) => span.to >= from && span.from <= to
  for (const { min, max } of picture.panes.filter(isSeen)) [min, max].forEach(take)
  // A baseline alone is no reason to show a scale.
  if (least > greatest) return undefined
  // What is never negative needs no room below zero, whatever the bounds reckon.
  const floor = least >= 0 ? 0 : -Infinity
  for (const { lower, upper } of picture.bands.filter(isSeen)) {
    take(upper)
    if (lower !== null) take(Math.max(floor, lower))
  }
  for (const { value } of picture.marks.filter(isSeen)) take(value)
  return [least, greatest]
}

/** The range of the value axis: with some air, and with zero where it is near. */
export function valueRange(
  extent: [number, number] | undefined,
  isBars: boolean,
): [number, number] {
  if (extent === undefined) return [0, 1]
  const [lowest, greatest] = extent
  const isNearZero = isBars || (lowest >= 0 && lowest < greatest * 0.4)
  const least = isNearZero ? Math.min(0, lowest) : lowest
  const span = greatest - least || Math.abs(greatest) * 0.1 || 1
  return [least === 0 ? 0 : least - span * 0.08, greatest + span * 0.12]
}
