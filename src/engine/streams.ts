import type { Topics } from '../log/topics.ts'
import type { RecordName } from '../schemas/ids.ts'
import type { Contribution, Records } from '../schemas/records.ts'
import type { ColumnType, TableSpec } from '../schemas/tables.ts'
import type { ColumnDeclaration } from './columns.ts'
import { add } from './declare.ts'
import { engineErrors } from './errors.ts'
import type { ListDeclaration, NoLists } from './lists.ts'
import type {
  AnyOperator,
  FilterNode,
  LogNode,
  LookupNode,
  MapNode,
  Operator,
  RekeyNode,
  ScanNode,
  SeriesItem,
  StreamNode,
  TableNode,
} from './nodes.ts'
import type { ItemSource } from './rekey/nodes.ts'
import type { LookupTable, TableRow, TableShape } from './tables/nodes.ts'

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

  /**
   * Makes another item of each. `make` may fill and answer one object again and again: items are
   * not kept.
   */
  map<Out>(name: string, make: (item: T) => Out): Stream<Out> {
    const declaration = `map ${String(make)}`
    return new Stream<Out>(
      add<MapNode>({ kind: 'map', id: name, declaration, input: this.node, make }),
    )
  }

  /**
   * Parts the stream in named branches: each item goes to the first whose predicate it fits, or to
   * `rest`; where no rest is named, what fits none is left out.
   *
   * @example
   * const { high, low } = verdicts.branch('by-severity', { high: (v) => v.score > 0.8 }, 'low')
   */
  branch<Name extends string, Rest extends string = never>(
    name: string,
    cases: { readonly [K in Name]: (item: T) => boolean },
    rest?: Rest,
  ): { readonly [K in Name | Rest]: Stream<T> } {
    const made: Record<string, Stream<T>> = {}
    const before: ((item: T) => boolean)[] = []
    const part = (arm: string, fits: (item: T) => boolean, text: string) => {
      if (arm in made) {
        throw engineErrors.badName({ name: `${name}-${arm}`, why: 'another branch bears it' })
      }
      const earlier = [...before]
      const keep = (item: T) => fits(item) && !earlier.some((other) => other(item))
      const declaration = `branch ${arm} ${[...earlier.map(String), text].join(' else ')}`
      const id = `${name}-${arm}`
      const node = add<FilterNode>({ kind: 'filter', id, declaration, input: this.node, keep })
      made[arm] = new Stream<T>(node)
    }
    for (const [arm, fits] of Object.entries<(item: T) => boolean>(cases)) {
      part(arm, fits, String(fits))
      before.push(fits)
    }
    if (rest !== undefined) part(rest, () => true, 'rest')
    return made as { readonly [K in Name | Rest]: Stream<T> }
  }

  /**
   * Joins the row of a lookup table to each item: the one that holds as the log comes to the item,
   * or, of an effective-dated table, at the item's own time (`start` of a window, else `at`).
   *
   * A row of an effective-dated table that comes late or is corrected has the windows of this
   * stream that can still change looked up again, where the stream is a window's own.
   */
  lookup<S extends TableShape, Out>(
    name: string,
    table: LookupTable<S>,
    keyOf: (series: SeriesItem) => string,
    join: (item: T, row: TableRow<S> | undefined) => Out,
  ): Stream<Out> {
    const declaration = `lookup ${String(keyOf)} ${String(join)}`
    const { node } = table
    return new Stream<Out>(
      add<LookupNode>({
        ...{ kind: 'lookup', id: name, declaration, input: this.node, table: node, keyOf },
        join: join,
      }),
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

  /**
   * Stage one of a result across meters: each item goes to an intermediate topic under another key,
   * with the position it comes from. `rekeyed` reads it.
   */
  rekey(
    name: string,
    sink: {
      topic: keyof Topics
      keyOf: (item: T) => string
      map: (item: T, source: ItemSource) => Contribution
    },
  ): void {
    const declaration = `rekey ${sink.topic}`
    add<RekeyNode>({ kind: 'rekey', id: name, declaration, input: this.node, ...sink })
  }
}

/**
 * Events of meters. A meter has no slot of its own, so that nothing with state can be built on
 * them.
 */
export class EventStream<in out T> {
  readonly node: StreamNode
  readonly filter: (name: string, keep: (item: T) => boolean) => EventStream<T>
  readonly toTable: Stream<T>['toTable']
  readonly toLog: Stream<T>['toLog']

  constructor(node: StreamNode) {
    const stream = new Stream<T>(node)
    this.node = node
    this.filter = (name, keep) => new EventStream<T>(stream.filter(name, keep).node)
    this.toTable = stream.toTable.bind(stream)
    this.toLog = stream.toLog.bind(stream)
  }
}
