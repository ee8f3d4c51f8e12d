import type { CombineState } from './combined.ts'
import type { TaskCounts } from './counts.ts'
import { Ingest } from './ingest.ts'
import type { FrozenSeries, LateSample } from './ingest.ts'
import type { ControlRecord } from '../schemas/records.ts'
import type { AnyNode, SeriesNode } from './nodes.ts'
import type { Pipeline } from './pipeline.ts'
import { runRekey } from './rekey/run-rekey.ts'
import { runRepair } from './repair/run-repair.ts'
import type { Bench, Progress, Runner } from './runner.ts'
import { runScan } from './runners/scan.ts'
import { runLog, runTable } from './runners/sinks.ts'
import { runFilter, runMap } from './runners/stateless.ts'
import { runAsOf, runSliding } from './runners/items.ts'
import { runCombine, runWindow } from './runners/windows.ts'
import type { SeriesTable } from './series.ts'
import type { TaskState } from './state/task-state.ts'
import type { LookupTableNode } from './tables/nodes.ts'
import { runLookup, runLookupTable } from './tables/run-lookup.ts'
import type { TableView } from './tables/table-view.ts'
import { type Lookup, Tables } from './tables/tables.ts'
import { Silence } from './time/silence.ts'
import type { SilentClosing } from './time/silent-closing.ts'
import type { TaskOptions } from './task-options.ts'
import type { Cause, Emit, WidthState, WindowState } from './windows.ts'

/**
 * Which runner puts which kind of node to work. A new kind is a declaration in nodes.ts, a method
 * in streams.ts, a runner in a file of its own, and a line here.
 */
const RUNNERS: { readonly [K in AnyNode['kind']]: Runner<K> } = {
  // What a series emits comes out of the ingest itself, and so does silence.
  series: () => undefined,
  silence: () => undefined,
  window: runWindow,
  combine: runCombine,
  sliding: runSliding,
  'as-of': runAsOf,
  scan: runScan,
  map: runMap,
  filter: runFilter,
  'lookup-table': runLookupTable,
  lookup: runLookup,
  table: runTable,
  log: runLog,
  rekey: runRekey,
  repair: runRepair,
  // Stage two is put to work by a task of its own.
  rekeyed: () => undefined,
  totals: () => undefined,
}

/** What a task is made of, of which its nodes are put together. */
export interface Frame {
  readonly options: TaskOptions
  readonly table: SeriesTable
  readonly state: TaskState
  readonly progress: Progress
  readonly cause: Cause
  readonly counts: TaskCounts
}

/** A pipeline put to work: what takes measurements in, and what is told the time. */
export interface Compiled {
  readonly ingest: Ingest
  /** Called every ten seconds of append time, after what was restated is emitted. */
  readonly clocks: readonly (() => void)[]
  /** Undefined where no meter is taken for silent. */
  readonly silence: Silence | undefined
  readonly controls: readonly ((control: ControlRecord) => void)[]
  readonly tables: Tables
}

export function compile({ nodes }: Pipeline, frame: Frame): Compiled {
  const consumers = new Map<AnyNode, Emit<never>[]>(nodes.map((node) => [node, []]))
  const clocks: (() => void)[] = []
  const controls: ((control: ControlRecord) => void)[] = []
  const lates: LateSample[] = []
  const frozens: FrozenSeries[] = []
  const readies: Parameters<Bench['onReady']>[0][] = []
  const windows: WindowState[] = []
  const combines: CombineState[] = []
  const views = new Map<LookupTableNode, TableView>()
  const lookups: Lookup[] = []
  const items: WidthState[] = []
  const bench: Bench = {
    ...frame,
    windows,
    combines,
    views,
    lookups,
    items,
    feed: (node, consumer) => consumers.get(node)!.push(consumer),
    emitOf(node) {
      const list = consumers.get(node)!
      return (slot, item) => {
        for (const consumer of list) consumer(slot, item)
      }
    },
    onClock: (told) => clocks.push(told),
    onControl: (taken) => controls.push(taken),
    onLate: (late) => lates.push(late),
    onFrozen: (frozen) => frozens.push(frozen),
    onReady: (ready) => readies.push(ready),
  }
  for (const node of nodes) (RUNNERS[node.kind] as Runner<typeof node.kind>)(node, bench)
  const { table, cause, counts } = frame
  const source = nodes.find((node): node is SeriesNode => node.kind === 'series')!
  const isHeard = consumers.get(source)!.length > 0
  const emitSample = isHeard ? (bench.emitOf(source) as Emit<unknown>) : undefined
  const late: LateSample = (meter, at) => {
    for (const told of lates) told(meter, at)
  }
  const frozen: FrozenSeries = (slot, boundary) => {
    for (const told of frozens) told(slot, boundary)
  }
  const parts = { node: source, table, windows, combines, items, cause, counts, emitSample }
  const ingest = new Ingest({ ...parts, late, frozen })
  frame.state.add(source.id, 'restatements', ingest.restater)
  const silence = silenceOf(nodes, source, ingest.closing, bench, frame)
  for (const ready of readies) ready(ingest, silence)
  const tables = new Tables({ ...frame, ingest, views, lookups })
  controls.push((control) => {
    if (control.kind === 'advance') tables.advance(control)
  })
  return { ingest, clocks, controls, silence, tables }
}

function silenceOf(
  nodes: readonly AnyNode[],
  source: SeriesNode,
  closing: SilentClosing | undefined,
  bench: Bench,
  { table, state, cause, counts }: Frame,
): Silence | undefined {
  if (closing === undefined) return undefined
  state.addKeyed(source.id, 'silent-closing', closing.series)
  const emits = nodes.flatMap((node) => {
    return node.kind === 'silence' ? [bench.emitOf(node) as Emit<unknown>] : []
  })
  const emit: Emit<unknown> = (slot, event) => {
    for (const one of emits) one(slot, event)
  }
  const silence = new Silence({ table, closing, cause, counts, emit })
  return state.add(source.id, 'silence', silence)
}
