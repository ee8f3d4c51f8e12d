import { type Pipeline, type Topology, fuse } from '../src/engine/dsl.ts'
import { benchPipeline } from './bench.ts'
import { calendarWindows } from './calendar.ts'
import { consecutiveAnomalies } from './consecutive-anomalies.ts'
import { pipeline } from './index.ts'
import { baselines } from './rolling-baseline.ts'
import { silence } from './silence.ts'
import { spikes } from './spikes.ts'
import { contributions, totalsPipeline } from './totals.ts'
import { windows } from './windows.ts'

const ALONE: readonly Topology<unknown>[] = [
  windows,
  calendarWindows,
  baselines,
  spikes,
  consecutiveAnomalies,
  contributions,
  silence,
]

/** By name: the pipelines that run, and each topology by itself with what it stands on. */
export const CATALOG: ReadonlyMap<string, Pipeline> = new Map(
  [pipeline, totalsPipeline, benchPipeline, ...ALONE.map((one) => fuse(one.name, [one]))].map(
    (one) => [one.name, one],
  ),
)
