import { hours, minutes } from '../../kernel/time.ts'
import type { Micros } from '../../kernel/time.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Codecs } from '../../schemas/codecs.ts'
import type { RepairedWindow, RepairResult } from '../../schemas/records.ts'
import { HORIZON } from '../../../topologies/readings.ts'
import { recompute } from './recompute.ts'
import type { RawSample } from './recompute.ts'

/** That a window has a row. */
export interface StoredWindow {
  readonly width: string
  readonly start: Micros
}

/** The raw rows of one meter, and what is known of its windows. */
export interface MeterRows {
  /** The newest time of any row. */
  newestAt(): Promise<Micros>
  /** The channels that have a row in [from, to]. */
  channels(from: Micros, to: Micros): Promise<readonly string[]>
  /** Times of the last `count` rows before `at` that are not BAD, the newest first. */
  before(channel: string, at: Micros, count: number): Promise<readonly Micros[]>
  /** Times of the first `count` rows after `at` that are not BAD, the oldest first. */
  after(channel: string, at: Micros, count: number): Promise<readonly Micros[]>
  /** The rows in [from, to], ascending. */
  between(channel: string, from: Micros, to: Micros): Promise<readonly RawSample[]>
  /** Between two rows, as the series' windows tell; undefined where they do not. */
  interval(channel: string): Promise<Micros | undefined>
  /** The windows that have a row and begin in [from, to). */
  windows(channel: string, from: Micros, to: Micros): Promise<readonly StoredWindow[]>
  /** The rows of 15 min in [from, to), ascending. */
  quarters(channel: string, from: Micros, to: Micros): Promise<readonly RepairedWindow[]>
  /** Whether the processor takes the meter for silent. */
  silent(): Promise<boolean>
}

export interface RepairOptions {
  readonly tenant: string
  readonly meterId: string
  /** Where the samples lie that came too late. */
  readonly from: Micros
  readonly to: Micros
  /** The offset of the meter's partition up to which raw rows are visible. */
  readonly basis: number
  readonly rows: MeterRows
  readonly registry: Registry
  readonly codecs: Codecs
}

const HOUR = hours(1)
/** What is computed from raw rows: days and months are put together of the rows of windows. */
const WIDTHS: Readonly<Record<string, Micros>> = {
  '1m': minutes(1),
  '15m': minutes(15),
  '1h': HOUR,
}
/** The processor freezes by quarters of an hour, and looks each minute. */
const MARGIN = minutes(17)

const hourOf = (at: Micros) => Math.floor(at / HOUR) * HOUR

interface Span {
  /** Windows that begin in [from, to) are repaired. */
  readonly from: Micros
  readonly to: Micros
  /** Rows in [lead, tail] decide them. */
  readonly lead: Micros
  readonly tail: Micros
}

/**
 * The windows around late samples as they would have been; undefined where some of them can still
 * change, so that the processor would not take them: ask again when the meter has gone on. Of a
 * meter that is silent it is enough that they have closed.
 */
export async function repairMeter(options: RepairOptions): Promise<RepairResult[] | undefined> {
  const { tenant, meterId, from, to, rows, registry, basis } = options
  const { disorderMicros } = registry.meter(tenant, meterId)
  const watermark = (await rows.newestAt()) - disorderMicros
  const frozen = watermark - HORIZON - MARGIN
  const results: RepairResult[] = []
  for (const channel of await rows.channels(from, to)) {
    const interval = await rows.interval(channel)
    const span = await spanOf(options, channel, interval)
    const shift = shiftOf(options, channel, interval)
    const isFrozen = span.to <= frozen - shift
    if (!isFrozen && !(await rows.silent())) return undefined
    const { windows, stored } = await windowsOf(options, channel, span, interval)
    if (!isFrozen && !haveClosed(windows, watermark, stored)) return undefined
    for (let at = 0; at < windows.length; at += LIMITS.repairWindowsPerRecord) {
      const part = windows.slice(at, at + LIMITS.repairWindowsPerRecord)
      results.push({ tenant, meterId, channel, basis, windows: part })
    }
  }
  return results
}

/** The watermark has closed what lies behind it, and silence all up to the last that has a row. */
function haveClosed(
  windows: readonly RepairedWindow[],
  watermark: Micros,
  stored: readonly StoredWindow[],
): boolean {
  const endOf = ({ width, start }: StoredWindow) => start + (WIDTHS[width] ?? NaN)
  return windows.every((window) => {
    if (endOf(window) <= watermark) return true
    return stored.some((row) => row.width === window.width && row.start >= window.start)
  })
}

/** How far before its own time a sample's window may lie. */
function shiftOf(options: RepairOptions, channel: string, interval: Micros | undefined): Micros {
  const { tenant, meterId, registry } = options
  const spec = registry.channel(tenant, meterId, channel)
  if (spec.kind !== 'interval' || spec.label !== 'end') return 0
  return spec.lengthMicros ?? interval ?? 0
}

async function spanOf(
  options: RepairOptions,
  channel: string,
  interval: Micros | undefined,
): Promise<Span> {
  const { tenant, meterId, rows, registry } = options
  let { from, to } = options
  const isRegister = registry.channel(tenant, meterId, channel).kind === 'cumulative'
  if (isRegister) {
    // Energy runs from the good sample before to the good one after; a drop is judged by the next.
    from = (await rows.before(channel, from, 2)).at(-1) ?? from
    to = (await rows.after(channel, to, 2)).at(-1) ?? to
  }
  const shift = shiftOf(options, channel, interval)
  const span = { from: hourOf(from - shift), to: hourOf(to) + HOUR }
  if (!isRegister) return { ...span, lead: span.from, tail: span.to + shift }
  const lead = (await rows.before(channel, span.from, 3)).at(-1) ?? span.from
  const tail = (await rows.after(channel, span.to - 1, 3)).at(-1) ?? span.to
  return { ...span, lead, tail }
}

async function windowsOf(
  options: RepairOptions,
  channel: string,
  { from, to, lead, tail }: Span,
  intervalMicros: Micros | undefined,
): Promise<{ windows: readonly RepairedWindow[]; stored: readonly StoredWindow[] }> {
  const { tenant, meterId, rows, registry, codecs } = options
  const samples = await rows.between(channel, lead, tail)
  const common = { tenant, meterId, channel, samples, from, to, intervalMicros, registry, codecs }
  const windows = [...(await recompute(common))]
  const found = new Set(windows.map(({ width, start }) => `${start} ${width}`))
  const { kind } = registry.channel(tenant, meterId, channel)
  const none = { count: 0, sum: null, min: null, max: null, first: null, last: null, stddev: null }
  const stored = await rows.windows(channel, from, to)
  for (const { width, start } of stored) {
    if (found.has(`${start} ${width}`) || WIDTHS[width] === undefined) continue
    // A BAD that came late has taken its last sample away.
    const energyWh = kind === 'cumulative' ? 0 : null
    windows.push({ width, start, ...none, energyWh, estimated: false })
  }
  return { windows, stored }
}
