import type { CombineState } from './combined.ts'
import type { AnyNode, StreamNode } from './nodes.ts'
import type { ControlRecord } from '../schemas/records.ts'
import type { FrozenSeries, Ingest, LateSample } from './ingest.ts'
import type { SeriesTable } from './series.ts'
import type { TaskState } from './state/task-state.ts'
import type { TaskCounts } from './counts.ts'
import type { LookupTableNode } from './tables/nodes.ts'
import type { TableView } from './tables/table-view.ts'
import type { Lookup } from './tables/tables.ts'
import type { TaskOptions } from './task-options.ts'
import type { Silence } from './time/silence.ts'
import type { Cause, Emit, WidthState, WindowState } from './windows.ts'

/**
 * The port between the compiler and the kinds of nodes.
 *
 * - runner: puts the nodes of one kind to work in a task. It is called once for each, after the
 *   runners of all that the node reads.
 * - consumer: what an item of a stream is handed to, with the slot of its series.
 */
export type Runner<K extends AnyNode['kind']> = (
  node: Extract<AnyNode, { kind: K }>,
  bench: Bench,
) => void

/** Where the task is: what sinks need to know of the record that is being taken in. */
export interface Progress {
  /** Whether outputs are handed on. */
  readonly emitting: boolean
  readonly offset: number
  /** Append time, running maximum. */
  readonly appendedMillis: number
  /** Records that this record has given to logs so far. */
  outputIndex: number
}

/** What a runner finds to work with. */
export interface Bench {
  readonly options: TaskOptions
  readonly table: SeriesTable
  readonly progress: Progress
  readonly cause: Cause
  /** The windows that are computed from samples, and those that are put together of them. */
  readonly windows: WindowState[]
  readonly combines: CombineState[]
  /** What is known of each lookup table, and the lookups in them. */
  readonly views: Map<LookupTableNode, TableView>
  readonly lookups: Lookup[]
  /** Sliding windows and joins. */
  readonly items: WidthState[]
  /** Hands every item of `node` to `consumer`, after those that were fed before. */
  readonly feed: (node: StreamNode, consumer: Emit<never>) => void
  /** What a node's own items are handed to. */
  readonly emitOf: (node: StreamNode) => Emit<never>
  /** To which a node adds, under its id, whatever it remembers from record to record. */
  readonly state: TaskState
  /** Calls `told` every ten seconds of append time, before the record that passes them. */
  readonly onClock: (told: () => void) => void
  /** Hands every control record to `taken`. */
  readonly onControl: (taken: (control: ControlRecord) => void) => void
  /** Tells `late` of each sample beyond the horizon. */
  readonly onLate: (late: LateSample) => void
  /** Tells `frozen` of each series whose frozen boundary has moved. */
  readonly onFrozen: (frozen: FrozenSeries) => void
  /** Calls `ready` when all nodes are at work. */
  readonly onReady: (ready: (ingest: Ingest, silence: Silence | undefined) => void) => void
  readonly counts: TaskCounts
}
