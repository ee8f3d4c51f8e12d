import { LocalCalendar } from '../../engine/calendar.ts'
import { addPane, PaneView } from '../../engine/pane.ts'
import type { Micros } from '../../kernel/time.ts'
import type { Registry } from '../../registry/registry.ts'
import type { RepairedWindow, RepairResult } from '../../schemas/records.ts'
import type { MeterRows } from './repair-meter.ts'

export interface PeriodOptions {
  readonly tenant: string
  readonly meterId: string
  readonly channel: string
  readonly width: string
  readonly start: Micros
  /** The offset of the meter's partition up to which rows are visible. */
  readonly basis: number
  readonly rows: MeterRows
  readonly registry: Registry
}

const UNITS = { '1d': 'day', '1mo': 'month' } as const

const isPeriod = (width: string): width is keyof typeof UNITS => Object.hasOwn(UNITS, width)

/**
 * A day or a month of the meter's zone, put together of the rows of its quarter hours in their
 * order, as the engine does it. Nothing where no such window begins then, or nobody would miss it.
 */
export async function repairPeriod(options: PeriodOptions): Promise<RepairResult[]> {
  const { tenant, meterId, channel, width, start, basis, rows, registry } = options
  if (!isPeriod(width)) return []
  const { zone } = registry.meter(tenant, meterId)
  const period = new LocalCalendar(zone, UNITS[width]).at(start)
  // The meter's zone is another one by now: the task has begun its periods anew.
  if (period.start !== start) return []
  const { kind } = registry.channel(tenant, meterId, channel)
  const whole = new PaneView(width)
  whole.begin(start, period.end)
  for (const quarter of await rows.quarters(channel, start, period.end)) {
    addPane(whole, paneOf(quarter))
  }
  // Of a register's energy it is known that it is 0, of a gauge that it has none.
  whole.energyKnown &&= kind === 'cumulative'
  whole.finish(NaN)
  if (!whole.hasContent) {
    const known = await rows.windows(channel, start, start + 1)
    if (!known.some((row) => row.width === width && row.start === start)) return []
  }
  return [{ tenant, meterId, channel, basis, windows: [windowOf(whole)] }]
}

function paneOf(window: RepairedWindow): PaneView {
  const { count, stddev, energyWh } = window
  const pane = new PaneView('15m')
  pane.begin(window.start, NaN)
  pane.count = count
  pane.sum = window.sum ?? NaN
  pane.min = window.min ?? NaN
  pane.max = window.max ?? NaN
  pane.first = window.first ?? NaN
  pane.last = window.last ?? NaN
  pane.energyWh = energyWh ?? NaN
  pane.energyKnown = energyWh !== null
  pane.estimated = window.estimated
  pane.squares = stddev === null ? 0 : stddev * stddev * (count - 1)
  return pane
}

function windowOf(pane: PaneView): RepairedWindow {
  const known = (value: number) => (isNaN(value) ? null : value)
  const { width, start, count, estimated } = pane
  const [sum, min, max] = [known(pane.sum), known(pane.min), known(pane.max)]
  const [first, last, stddev] = [known(pane.first), known(pane.last), known(pane.stddev)]
  const energyWh = known(pane.energyWh)
  return { width, start, count, sum, min, max, first, last, stddev, energyWh, estimated }
}
