import { fuse } from '../src/engine/dsl.ts'
import { calendarWindows } from './calendar.ts'
import { consecutiveAnomalies } from './consecutive-anomalies.ts'
import { readings } from './readings.ts'
import { baselines } from './rolling-baseline.ts'
import { silence } from './silence.ts'
import { spikes } from './spikes.ts'
import { contributions } from './totals.ts'
import { windows } from './windows.ts'

/** What is computed of the readings topic. */
export const TOPOLOGIES = [
  readings,
  windows,
  calendarWindows,
  baselines,
  spikes,
  consecutiveAnomalies,
  contributions,
  silence,
]

/** All of it, in one task a partition. */
export const pipeline = fuse('readings', TOPOLOGIES)
