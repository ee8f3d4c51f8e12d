import { createHash } from 'node:crypto'
import type { Micros } from '../kernel/time.ts'
import type { Topics } from '../log/topics.ts'
import type { RecordName } from '../schemas/ids.ts'
import type { Records } from '../schemas/records.ts'
import type { ColumnType, TableSpec } from '../schemas/tables.ts'
import type { ColumnDeclaration } from './columns.ts'
import { engineErrors } from './errors.ts'
import type { ListDeclaration, NoLists } from './lists.ts'
import type {
  AnyNode,
  AnyOperator,
  CombineNode,
  FilterNode,
  Lateness,
  LogNode,
  Operator,
  Pane,
  Sample,
  ScanNode,
  SeriesNode,
  SinkNode,
  StreamNode,
  TableNode,
  WindowNode,
} from './nodes.ts'

/**
 * The language of topologies.
 *
 * @example
 * export const windows = topology('windows', (t) => {
 *   const lateness = { disorder: 'registered', horizon: hours(1) } as const
 *   const series = t.readings('measured', lateness)
 *   const quarter = series.window('quarter-hour', tumbling('15m', minutes(15)))
 *   quarter.toTable('quarter-hour-rows', TABLES.windows, windowCells)
 *   return { quarter }
 * })
 */
export interface Topology<Exports> {
  readonly name: string
  readonly sinks: readonly SinkNode[]
  /** Streams that other topologies build on: they share the node and its state. */
  readonly exports: Exports
}

/** What a task runs: every node that the sinks need, inputs before what reads them. */
export interface Pipeline {
  readonly name: string
  readonly nodes: readonly AnyNode[]
  /** By node id: a hash of the node's declaration and of what it reads. */
  readonly fingerprint: ReadonlyMap<string, string>
}

export interface Tumbling {
  readonly width: string
  readonly micros: Micros
}

/** Windows `[n * micros, (n + 1) * micros)` of UTC. `width` is how rows name it. */
export function tumbling(width: string, micros: Micros): Tumbling {
  return { width, micros }
}

type CellOf<T extends ColumnType> = T extends 'symbol'
  ? string | undefined
  : T extends 'boolean'
    ? boolean
    : number

/**
 * How each column of a table is made of an item; null is NaN for numbers, undefined for symbols.
 */
export type Cells<T, Shape extends Record<string, ColumnType>> = {
  readonly [K in keyof Shape]: (item: T) => CellOf<Shape[K]>
}

export interface Table<Shape extends Record<string, ColumnType>> extends TableSpec {
  readonly shape: Shape
}

export class Stream<in out T> {
  readonly node: StreamNode

  constructor(node: StreamNode) {
    this.node = node
  }

  filter(name: string, keep: (item: T) => boolean): Stream<T> {
    // What is kept decides the state of all that follows.
    const declaration = `filter ${String(keep)}`
    return new Stream<T>(
      add<FilterNode>({ kind: 'filter', id: name, declaration, input: this.node, keep }),
    )
  }

  scan<
    Out,
    D extends Record<string, ColumnDeclaration>,
    L extends Record<string, ListDeclaration> = NoLists,
  >(name: string, operator: Operator<T, Out, D, L>): Stream<Out> {
    const any = operator as unknown as AnyOperator
    const { columns, lists } = operator
    const declaration = `scan ${operator.declaration} ${JSON.stringify({ columns, lists })}`
    return new Stream<Out>(
      add<ScanNode>({ kind: 'scan', id: name, declaration, input: this.node, operator: any }),
    )
  }

  /** Each item is a row. A later row with the same keys replaces an earlier one. */
  toTable<Shape extends Record<string, ColumnType>>(
    name: string,
    table: Table<Shape>,
    cells: Cells<T, Shape>,
  ): void {
    const ordered = table.columns.map((column) => cells[column.name as keyof Shape])
    const declaration = `table ${table.table}`
    const input = this.node
    add<TableNode>({ kind: 'table', id: name, declaration, input, spec: table, cells: ordered })
  }

  /** Each item is a record of the topic, keyed by its meter, with the position it comes from. */
  toLog<R extends RecordName>(
    name: string,
    sink: { topic: keyof Topics; record: R; map: (item: T) => Records[R] },
  ): void {
    const declaration = `log ${sink.topic} ${sink.record}`
    add<LogNode>({ kind: 'log', id: name, declaration, input: this.node, ...sink })
  }
}

export class SeriesStream extends Stream<Sample> {
  declare readonly node: SeriesNode

  /** @throws engine.badOption where the width is no whole number of microseconds above 0. */
  window(name: string, { width, micros }: Tumbling): WindowStream {
    if (!Number.isSafeInteger(micros) || micros <= 0) {
      const wants = 'a whole number of microseconds above 0'
      throw engineErrors.badOption({ node: name, option: 'width', value: micros, wants })
    }
    const input = this.node
    const declaration = `window ${width} ${micros}`
    return new WindowStream(
      add<WindowNode>({ kind: 'window', id: name, declaration, input, width, widthMicros: micros }),
    )
  }
}

export class WindowStream extends Stream<Pane> {
  declare readonly node: WindowNode

  /** A larger window, put together from this one's panes in their order. */
  combine(name: string, { width, micros }: Tumbling): Stream<Pane> {
    const input = this.node
    if (micros <= input.widthMicros || micros % input.widthMicros !== 0) {
      const wants = `a multiple of the ${input.widthMicros} of ${input.id}`
      throw engineErrors.badOption({ node: name, option: 'width', value: micros, wants })
    }
    const declaration = `combine ${width} ${micros}`
    return new Stream<Pane>(
      add<CombineNode>({
        kind: 'combine',
        id: name,
        declaration,
        input,
        width,
        widthMicros: micros,
      }),
    )
  }
}

export class TopologyBuilder {
  /**
   * The measurements of the readings topic, by series. How late a sample may come, in its meter's
   * own time, is said here, once for all windows, so that a window and its panes always agree.
   *
   * @throws engine.badOption where a time is no whole number of microseconds, 0 or more.
   */
  readings(name: string, lateness: Lateness): SeriesStream {
    const { disorder, horizon } = lateness
    for (const [option, value] of Object.entries({ disorder, horizon })) {
      if (typeof value === 'number' && (!Number.isSafeInteger(value) || value < 0)) {
        const wants = 'a whole number of microseconds, 0 or more'
        throw engineErrors.badOption({ node: name, option, value, wants })
      }
    }
    const declaration = `series disorder ${lateness.disorder} horizon ${lateness.horizon}`
    const own = Object.freeze({ ...lateness })
    return new SeriesStream(
      add<SeriesNode>({ kind: 'series', id: name, declaration, lateness: own }),
    )
  }
}

const NODE_NAME = /^[a-z][a-z0-9-]*$/

let building:
  { readonly name: string; readonly ids: Set<string>; readonly sinks: SinkNode[] } | undefined

function add<N extends AnyNode>(node: N): N {
  if (building === undefined) throw engineErrors.outsideTopology({ name: node.id })
  if (!NODE_NAME.test(node.id)) {
    throw engineErrors.badName({
      name: node.id,
      why: 'it must be small letters, digits and dashes',
    })
  }
  const id = `${building.name}/${node.id}`
  if (building.ids.has(id)) throw engineErrors.badName({ name: id, why: 'another node bears it' })
  building.ids.add(id)
  const named = Object.freeze({ ...node, id }) as unknown as N
  if (named.kind === 'table' || named.kind === 'log') building.sinks.push(named)
  return named
}

/** Declares a topology. What `build` returns are the streams that others may build on. */
export function topology<Exports>(
  name: string,
  build: (t: TopologyBuilder) => Exports,
): Topology<Exports> {
  if (!NODE_NAME.test(name)) {
    throw engineErrors.badName({ name, why: 'it must be small letters, digits and dashes' })
  }
  const outer = building
  const here = { name, ids: new Set<string>(), sinks: [] as SinkNode[] }
  building = here
  try {
    const exports = build(new TopologyBuilder())
    return Object.freeze({ name, sinks: Object.freeze(here.sinks), exports })
  } finally {
    building = outer
  }
}

/**
 * Joins topologies into one task a partition: one decode, and one state for each node that they
 * share.
 *
 * @throws engine.badName where two nodes bear one name, so that their states would be one.
 */
export function fuse(name: string, topologies: readonly Topology<unknown>[]): Pipeline {
  const nodes: AnyNode[] = []
  const byId = new Map<string, AnyNode>()
  const visit = (node: AnyNode): void => {
    const other = byId.get(node.id)
    if (other === node) return
    if (other !== undefined) {
      throw engineErrors.badName({ name: node.id, why: 'a node of another topology bears it' })
    }
    if ('input' in node) visit(node.input)
    byId.set(node.id, node)
    nodes.push(node)
  }
  for (const { sinks } of topologies) sinks.forEach(visit)
  if (nodes.length === 0) throw engineErrors.nothingToDo({ pipeline: name })
  if (nodes.filter((node) => node.kind === 'series').length !== 1) {
    throw engineErrors.differentSources({ topologies: topologies.map((t) => t.name).join(', ') })
  }
  const fingerprint = new Map<string, string>()
  for (const node of nodes) {
    const before = 'input' in node ? fingerprint.get(node.input.id)! : ''
    const text = `${before} ${node.declaration}`
    fingerprint.set(node.id, createHash('sha256').update(text).digest('hex').slice(0, 16))
  }
  return Object.freeze({ name, nodes: Object.freeze(nodes), fingerprint })
}

/** A pipeline as text: a line a node, below what it reads. */
export function printPipeline(pipeline: Pipeline): string {
  const lines: string[] = []
  const print = (node: AnyNode, depth: number) => {
    lines.push(`${'  '.repeat(depth)}${node.id}: ${node.declaration}`)
    for (const other of pipeline.nodes) {
      if ('input' in other && other.input === node) print(other, depth + 1)
    }
  }
  for (const node of pipeline.nodes) if (!('input' in node)) print(node, 0)
  return lines.join('\n')
}
