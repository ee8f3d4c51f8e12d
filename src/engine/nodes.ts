import type { Micros } from '../kernel/time.ts'
import type { Topics } from '../log/topics.ts'
import type { RecordName } from '../schemas/ids.ts'
import type { TableSpec } from '../schemas/tables.ts'
import type { ColumnDeclaration, Columns } from './columns.ts'
import type { LookupTableNode } from './tables/nodes.ts'
import type { ItemSource, TotalsOptions } from './rekey/nodes.ts'
import type { Contribution } from '../schemas/records.ts'
import type { BoundedLists, ListDeclaration, NoLists } from './lists.ts'
import type { Span } from './spans.ts'

/**
 * A topology is frozen data: nodes that name what they read. The task compiles them; nothing here
 * runs.
 *
 * - series: one stream of samples of one (tenant, meter, channel).
 * - sample: a measurement that was taken in, or that came too late to be.
 * - pane: one window of one series, as it is known when it closes or is restated.
 */

interface NodeBase {
  /** `topology/node`, given by hand: the name of the node's state for ever. */
  readonly id: string
  /** What makes the node what it is, as text: two that differ here have different state. */
  readonly declaration: string
}

export interface SeriesNode extends NodeBase {
  readonly kind: 'series'
  readonly lateness: Lateness
}

/** How readings may come late. Neither is ever taken for granted. */
export interface Lateness {
  /** How far a meter's watermark is behind its newest `at`; 'registered': as the registry says. */
  readonly disorder: Micros | 'registered'
  /** How far behind the watermark a sample may be and still restate its windows. */
  readonly horizon: Micros
  /**
   * 'registered': a meter is silent after as many of its expected intervals as the registry says,
   * and its windows close without it. Left out: they wait for its next reading.
   */
  readonly silence?: 'registered'
}

/** Meters that fall silent, and that come back. */
export interface SilenceNode extends NodeBase {
  readonly kind: 'silence'
  readonly input: SeriesNode
}

export interface WindowNode extends NodeBase {
  readonly kind: 'window'
  readonly input: SeriesNode
  readonly width: string
  readonly widthMicros: Micros
}

export interface CombineNode extends NodeBase {
  readonly kind: 'combine'
  readonly input: WindowNode
  readonly span: Span
}

/** For each sample the window of this size that ends with it. */
export interface SlidingNode extends NodeBase {
  readonly kind: 'sliding'
  readonly input: SeriesNode
  readonly width: string
  readonly micros: Micros
}

/** For each sample of one channel the newest of another one of the same meter. */
export interface AsOfNode extends NodeBase {
  readonly kind: 'as-of'
  readonly input: SeriesNode
  readonly left: string
  readonly right: string
  readonly tolerance: Micros
}

export interface ScanNode extends NodeBase {
  readonly kind: 'scan'
  readonly input: StreamNode
  readonly operator: AnyOperator
}

export interface MapNode extends NodeBase {
  readonly kind: 'map'
  readonly input: StreamNode
  readonly make: (item: never) => unknown
}

/** Joins to each item the row of a table. */
export interface LookupNode extends NodeBase {
  readonly kind: 'lookup'
  readonly input: StreamNode
  readonly table: LookupTableNode
  /** Of the series alone, so that what a correction touches can be found. */
  readonly keyOf: (item: SeriesItem) => string
  readonly join: (item: never, row: never) => unknown
}

export interface FilterNode extends NodeBase {
  readonly kind: 'filter'
  readonly input: StreamNode
  readonly keep: (item: never) => boolean
}

export interface TableNode extends NodeBase {
  readonly kind: 'table'
  readonly input: StreamNode
  readonly spec: TableSpec
  /** One for each column of the spec, in its order. */
  readonly cells: readonly ((item: never) => number | boolean | string | undefined)[]
}

export interface LogNode extends NodeBase {
  readonly kind: 'log'
  readonly input: StreamNode
  readonly topic: keyof Topics
  readonly record: RecordName
  readonly map: (item: never) => unknown
}

/** Stage one of a result across meters: a sink, see rekey/nodes.ts. */
export interface RekeyNode extends NodeBase {
  readonly kind: 'rekey'
  readonly input: StreamNode
  readonly topic: keyof Topics
  readonly keyOf: (item: never) => string
  readonly map: (item: never, source: ItemSource) => Contribution
}

/** Has repaired what comes too late for its windows. */
export interface RepairNode extends NodeBase {
  readonly kind: 'repair'
  readonly input: SeriesNode
  readonly topic: keyof Topics
}

/** The source of a pipeline of stage two. */
export interface RekeyedNode extends NodeBase {
  readonly kind: 'rekeyed'
  readonly topic: keyof Topics
}

export interface TotalsNode extends NodeBase {
  readonly kind: 'totals'
  readonly input: RekeyedNode
  readonly options: TotalsOptions
}

export type StreamNode =
  | SeriesNode
  | WindowNode
  | CombineNode
  | SlidingNode
  | AsOfNode
  | ScanNode
  | MapNode
  | FilterNode
  | LookupNode
  | SilenceNode
  | RekeyedNode
  | TotalsNode
export type SinkNode = TableNode | LogNode | RekeyNode | RepairNode
export type AnyNode = StreamNode | SinkNode | LookupTableNode

/** What a node reads, in the order of its declaration. */
export function inputsOf(node: AnyNode): readonly AnyNode[] {
  if (node.kind === 'lookup') return [node.input, node.table]
  return 'input' in node ? [node.input] : []
}

/** What every item of a series tells. Items are reused: what must outlive a call is copied. */
export interface SeriesItem {
  readonly tenant: string
  readonly meterId: string
  readonly channel: string
}

export interface Sample extends SeriesItem {
  readonly at: Micros
  readonly value: number
  readonly quality: string
  /** NaN where the reading had none. */
  readonly seq: number
}

/** A sample of the left channel, and what the right one was as of then. */
export interface Joined extends SeriesItem {
  readonly rightChannel: string
  readonly at: Micros
  /** NaN: the sample is taken back. */
  readonly left: number
  /** NaN: there is none at or before `at` within the tolerance. */
  readonly right: number
  readonly rightAt: Micros
  readonly revision: number
  /** Whether it takes the place of what was said of the same time before. */
  readonly restated: boolean
}

/** A meter has fallen silent, or is back. */
export interface SilenceEvent {
  readonly tenant: string
  readonly meterId: string
  readonly state: 'silent' | 'back'
  /** The newest time that the meter has said: with the meter this is the silence's identity. */
  readonly since: Micros
  /** Append time at which it was due, or at which the meter was heard again. */
  readonly at: Micros
  /** For how long nothing came, of the time in which bridges were alive. */
  readonly silentFor: Micros
  /** The meter's expected interval. */
  readonly expected: Micros
  readonly revision: number
}

export type ChannelKindCode = 0 | 1 | 2

/** Numbers that are not known are NaN. */
export interface Pane extends SeriesItem {
  readonly width: string
  readonly start: Micros
  readonly end: Micros
  readonly count: number
  readonly expected: number
  readonly completeness: number
  readonly sum: number
  readonly min: number
  readonly max: number
  readonly mean: number
  readonly first: number
  readonly last: number
  readonly stddev: number
  readonly energyWh: number
  readonly estimated: boolean
  readonly revision: number
  /** Whether the window had closed before, so that this takes the place of what was known. */
  readonly restated: boolean
  /**
   * Whether the channel is a register: then its energy is what the window is about, not its mean.
   */
  readonly cumulative: boolean
}

/** What a step reads and writes: each column and each list, under the name it was declared by. */
export type State<
  D extends Record<string, ColumnDeclaration>,
  L extends Record<string, ListDeclaration>,
> = Columns<D> & { readonly [K in keyof L]: BoundedLists<L[K]['fields'][number]> }

/**
 * A keyed scan: for each series, columns and bounded lists that each step reads and writes.
 *
 * `step` is called in the order of the log, once for each input item, with the series' slot. It
 * must not read a clock, a random number, or anything but its arguments; `out` hands an item on
 * (and may reuse it). An input that is `restated` replaces an earlier one: the operator takes back
 * what no longer holds.
 */
export interface Operator<
  In,
  Out,
  D extends Record<string, ColumnDeclaration>,
  L extends Record<string, ListDeclaration> = NoLists,
> {
  /** Names the operator and its options: part of the node's declaration. */
  readonly declaration: string
  readonly columns: D
  readonly lists?: L
  // A property and not a method: an operator of another input must not pass as one of this.
  readonly step: (state: State<D, L>, slot: number, item: In, out: (item: Out) => void) => void
}

export interface AnyOperator {
  readonly declaration: string
  readonly columns: Record<string, ColumnDeclaration>
  readonly lists?: Record<string, ListDeclaration>
  readonly step: (state: never, slot: number, item: never, out: (item: never) => void) => void
}
