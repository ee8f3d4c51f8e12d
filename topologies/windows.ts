import { topology, tumbling } from '../src/engine/dsl.ts'
import type { Cells, Stream } from '../src/engine/dsl.ts'
import type { Pane } from '../src/engine/nodes.ts'
import { hours, minutes } from '../src/kernel/time.ts'
import type { WindowRecord } from '../src/schemas/records.ts'
import { TABLES } from '../src/schemas/tables.ts'
import { readings } from './readings.ts'

export const windowCells: Cells<Pane, (typeof TABLES)['windows']['shape']> = {
  ts: (p) => p.start,
  tenant: (p) => p.tenant,
  meter_id: (p) => p.meterId,
  channel: (p) => p.channel,
  width: (p) => p.width,
  count: (p) => p.count,
  expected: (p) => p.expected,
  completeness: (p) => p.completeness,
  sum: (p) => p.sum,
  min: (p) => p.min,
  max: (p) => p.max,
  mean: (p) => p.mean,
  first: (p) => p.first,
  last: (p) => p.last,
  stddev: (p) => p.stddev,
  energy_wh: (p) => p.energyWh,
  estimated: (p) => p.estimated,
  revision: (p) => p.revision,
}

const known = (value: number): number | null => (isNaN(value) ? null : value)

function windowRecord(p: Pane): WindowRecord {
  return {
    tenant: p.tenant,
    meterId: p.meterId,
    channel: p.channel,
    width: p.width,
    start: p.start,
    end: p.end,
    count: p.count,
    expected: known(p.expected),
    completeness: known(p.completeness),
    sum: known(p.sum),
    min: known(p.min),
    max: known(p.max),
    mean: known(p.mean),
    first: known(p.first),
    last: known(p.last),
    stddev: known(p.stddev),
    energyWh: known(p.energyWh),
    estimated: p.estimated,
    revision: p.revision,
  }
}

/** Sends windows to their table and their topic. */
export function publishWindows(name: string, stream: Stream<Pane>): void {
  stream.toTable(`${name}-rows`, TABLES.windows, windowCells)
  stream.toLog(`${name}-records`, { topic: 'windows', record: 'window', map: windowRecord })
}

/** Windows of 1 min, 15 min and 1 h, with the energy of interval and cumulative channels. */
export const windows = topology('windows', () => {
  const { measured } = readings.exports
  const minute = measured.window('minute', tumbling('1m', minutes(1)))
  const quarter = measured.window('quarter-hour', tumbling('15m', minutes(15)))
  const hour = quarter.combine('hour', tumbling('1h', hours(1)))
  publishWindows('minute', minute)
  publishWindows('quarter-hour', quarter)
  publishWindows('hour', hour)
  return { minute, quarter, hour }
})
