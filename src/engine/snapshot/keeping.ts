import { hostname } from 'node:os'
import type { Logger } from 'pino'
import type { Registry as MetricsRegistry } from 'prom-client'
import type { Scheduler } from '../../kernel/time.ts'
import type { Log, Producer } from '../../log/log.ts'
import type { Topics } from '../../log/topics.ts'
import type { Lane } from '../lane.ts'
import type { Pipeline } from '../pipeline.ts'
import { LogReplay } from '../restore.ts'
import type { Slices } from '../restore.ts'
import { ReplayCadence } from './cadence.ts'
import type { Cadence } from './cadence.ts'
import { Restorer } from './restorer.ts'
import { SnapshotMetrics } from './snapshot-metrics.ts'
import { Snapshots } from './snapshots.ts'

/** What a runtime is told of how it keeps its state. */
export interface KeepingOptions {
  /** The topic of snapshots; by default that of the readings' state. */
  readonly stateTopic?: string
  /** When snapshots are due; by default, by what it takes to do without. */
  readonly cadence?: Cadence
  /** All state is computed again from the retained log. */
  readonly backfill?: boolean
  /** Nodes whose state is forgotten, where they are not what they were. */
  readonly dropState?: readonly string[]
  /** The name of this process in snapshots. */
  readonly member?: string
}

interface Surroundings extends KeepingOptions {
  readonly log: Log
  readonly input: string
  readonly topics: Topics
  readonly epoch: number
  readonly pipeline: Pipeline
  readonly metrics?: MetricsRegistry
  readonly logger?: Logger
}

interface Parts {
  readonly slices: Slices
  readonly producer: Producer
  readonly scheduler: Scheduler
  readonly lanes: () => ReadonlyMap<number, Lane>
  /** A snapshot is whole: the next commit should name it. */
  readonly onWhole: () => void
}

/** How a runtime keeps its state: snapshots of its lanes, and what makes lanes anew from them. */
export class Keeping {
  readonly restorer: Restorer
  readonly snapshots: Snapshots
  readonly metrics: SnapshotMetrics

  constructor(around: Surroundings, { slices, producer, scheduler, lanes, onWhole }: Parts) {
    const topic = around.stateTopic ?? around.topics.state
    const tasks = () => [...lanes().values()].map(({ task }) => task)
    this.metrics = new SnapshotMetrics(around.metrics, scheduler, tasks)
    this.restorer = new Restorer({
      ...around,
      topic,
      replay: new LogReplay(around.log, around.input, slices),
      backfill: around.backfill ?? false,
      dropped: new Set(around.dropState),
    })
    this.snapshots = new Snapshots({
      ...around,
      ...{ producer, scheduler, topic, onWhole, metrics: this.metrics },
      member: around.member ?? `${hostname()}:${process.pid}`,
      cadence: around.cadence ?? new ReplayCadence(scheduler, () => slices.recordsPerSecond),
      lanes: () => lanes().values(),
    })
  }
}
