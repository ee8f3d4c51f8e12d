import type {
  AnomalyItem,
  BaselineItem,
  MeterItem,
  ReadingItem,
  WindowItem,
} from '../../src/api/contract/items.ts'
import { widthMs } from '../../src/web/chart/instant.ts'

/** A fleet that is a function of the time: what the fake api answers with. Times are ms UTC. */

export const INTERVAL_MS = 5_000
/** Nothing is known of before. */
const HISTORY_MS = 40 * 86_400_000
const QUARTER_MS = 900_000
const PLACES = ['Harbour Row 12', 'North Street 4', 'Old Mill', 'Station Square 1', null] as const

export const iso = (millis: number) => new Date(millis).toISOString().replace('Z', '000Z')

export const meterIds = (count: number) =>
  Array.from({ length: count }, (_, i) => `sim-${String(i + 1).padStart(4, '0')}`)

function chance(seed: number): number {
  const x = Math.sin(seed * 12.9898) * 43_758.5453
  return x - Math.floor(x)
}

const numberOf = (meterId: string) => Number(/\d+$/.exec(meterId)?.[0] ?? 0)
/** Every 17th meter has been silent since ten minutes, every 41st never spoke. */
const isSilent = (meterId: string) => numberOf(meterId) % 17 === 0
const isMute = (meterId: string) => numberOf(meterId) % 41 === 0
/** An hour a day the second meter sends nothing: its chart has a gap. */
const isAway = (meterId: string, at: number) =>
  meterId === 'sim-0002' && at % 86_400_000 > 46_000_000 && at % 86_400_000 < 48_000_000

/** A quarter of an hour in which the load stands far above what is usual. */
function isSpike(meterId: string, at: number): boolean {
  return chance(numberOf(meterId) * 7 + Math.floor(at / QUARTER_MS)) > 0.985
}

export function powerW(meterId: string, at: number): number {
  const n = numberOf(meterId)
  const hour = (at / 3_600_000 + n / 10) % 24
  const day = 400 + 900 * Math.exp(-((hour - 19) ** 2) / 6) + 500 * Math.exp(-((hour - 7) ** 2) / 3)
  const fridge = (at / 60_000 + n) % 40 < 14 ? 90 : 0
  const noise = 40 * (chance(n + Math.floor(at / INTERVAL_MS)) - 0.5)
  const spike = isSpike(meterId, at) ? 2.6 : 1
  return Math.round((day * (0.6 + chance(n)) + fridge + noise) * spike * 10) / 10
}

function valueOf(meterId: string, channel: string, at: number): number {
  if (channel === 'power_w') return powerW(meterId, at)
  if (channel === 'voltage_v') return Math.round((230 + 2 * Math.sin(at / 4e5)) * 10) / 10
  return Math.round(1e6 * chance(numberOf(meterId)) + (at - 1.7e12) / 4_000)
}

const CHANNELS = [
  { channel: 'energy_register_wh', unit: 'Wh', kind: 'cumulative' },
  { channel: 'power_w', unit: 'W', kind: 'gauge' },
  { channel: 'voltage_v', unit: 'V', kind: 'gauge' },
] as const

export function readingAt(meterId: string, channel: string, at: number): ReadingItem {
  const value = valueOf(meterId, channel, at)
  return { meterId, channel, at: iso(at), value, quality: 'MEASURED', seq: null }
}

const lastAt = (meterId: string, nowMs: number) =>
  Math.floor((isSilent(meterId) ? nowMs - 600_000 : nowMs) / INTERVAL_MS) * INTERVAL_MS

export function meterItem(meterId: string, nowMs: number): MeterItem {
  const n = numberOf(meterId)
  const at = lastAt(meterId, nowMs)
  const mute = isMute(meterId)
  return {
    meterId,
    place: PLACES[n % PLACES.length] ?? null,
    zone: 'Europe/Berlin',
    registered: true,
    lastAt: mute ? null : iso(at),
    lastArrivedAt: mute ? null : iso(at + 180),
    expectedIntervalS: mute ? null : INTERVAL_MS / 1_000,
    completeness24h: mute ? null : n % 9 === 0 ? 0.6 + 0.3 * chance(n) : n % 5 === 0 ? 0.998 : 1,
    silent: isSilent(meterId) && !mute,
    latest: mute
      ? []
      : CHANNELS.map((channel) => ({
          ...channel,
          at: iso(at),
          value: valueOf(meterId, channel.channel, at),
          quality: 'MEASURED' as const,
        })),
  }
}

/** Times on a grid in `[from, to)`, of what is known. */
function grid(from: number, to: number, step: number, nowMs: number): number[] {
  const start = Math.max(from, nowMs - HISTORY_MS)
  const times: number[] = []
  for (let at = Math.ceil(start / step) * step; at < to && at <= nowMs; at += step) times.push(at)
  return times
}

export function readings(
  meterId: string,
  channel: string,
  range: { from: number; to: number; nowMs: number },
): ReadingItem[] {
  return grid(range.from, range.to, INTERVAL_MS, range.nowMs)
    .filter((at) => !isAway(meterId, at) && at <= lastAt(meterId, range.nowMs))
    .map((at) => readingAt(meterId, channel, at))
}

export function windowAt(meterId: string, channel: string, width: string, at: number): WindowItem {
  const length = widthMs(width)
  const samples = [0, 0.2, 0.4, 0.6, 0.8].map((s) => valueOf(meterId, channel, at + s * length))
  const mean = samples.reduce((a, b) => a + b, 0) / samples.length
  const expected = length / INTERVAL_MS
  const isEnergy = channel.endsWith('_wh')
  return {
    ...{ meterId, channel, width, start: iso(at), end: iso(at + length) },
    ...{ count: expected, expected, completeness: 1, sum: mean * expected, mean },
    ...{ min: Math.min(...samples) - 30, max: Math.max(...samples) + 60 },
    ...{ first: samples[0]!, last: samples[4]!, stddev: 20, estimated: false, revision: at },
    energyWh: isEnergy ? (mean % 97) + (length / 3_600_000) * 400 : null,
  }
}

interface Stretch {
  readonly from: number
  readonly to: number
  readonly nowMs: number
  readonly width: string
}

export function windows(meterId: string, channel: string, stretch: Stretch): WindowItem[] {
  const { from, to, nowMs, width } = stretch
  return grid(from, to, widthMs(width), nowMs - widthMs(width))
    .filter((at) => !isAway(meterId, at))
    .map((at) => windowAt(meterId, channel, width, at))
}

export function baselines(meterId: string, channel: string, stretch: Stretch): BaselineItem[] {
  return grid(stretch.from, stretch.to, QUARTER_MS, stretch.nowMs - QUARTER_MS).map((at) => {
    const week = [1, 2, 3].map((d) => powerW(meterId, at - d * 86_400_000))
    const centre = channel === 'power_w' ? Math.min(...week) : valueOf(meterId, channel, at)
    const spread = channel === 'power_w' ? 180 + centre * 0.25 : 3
    return {
      ...{ meterId, channel, width: '15m', kind: 'rolling', start: iso(at), n: 96, revision: at },
      ...{ centre, lower: centre - spread, upper: centre + spread },
    }
  })
}

export function anomalies(meterId: string, range: Omit<Stretch, 'width'>): AnomalyItem[] {
  return grid(range.from, range.to, QUARTER_MS, range.nowMs - QUARTER_MS)
    .filter((at) => isSpike(meterId, at) && !isMute(meterId))
    .map((at) => anomalyAt(meterId, at))
}

export function anomalyAt(meterId: string, at: number): AnomalyItem {
  const value = powerW(meterId, at)
  const expected = value / 2.6
  const isRun = Math.floor(at / QUARTER_MS) % 5 === 0
  return {
    ...{ meterId, channel: 'power_w', width: '15m', start: iso(at), end: iso(at + QUARTER_MS) },
    kind: isRun ? 'consecutive_anomalies' : 'energy_spike',
    ...{
      score: 0.8,
      pctChange: 160,
      expected,
      lower: expected * 0.6,
      upper: expected * 1.4,
      value,
    },
    ...{ severity: isRun || value > 2_500 ? 'high' : 'medium', run: isRun ? 3 : 1, revision: at },
    state: Math.floor(at / QUARTER_MS) % 7 === 0 ? 'retracted' : 'active',
  }
}
