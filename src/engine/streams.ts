import type { Micros } from '../kernel/time.ts'
import type { Topics } from '../log/topics.ts'
import type { RecordName } from '../schemas/ids.ts'
import type { Records } from '../schemas/records.ts'
import type { ColumnType, TableSpec } from '../schemas/tables.ts'
import type { ColumnDeclaration } from './columns.ts'
import { add } from './declare.ts'
import { engineErrors } from './errors.ts'
import type { ListDeclaration, NoLists } from './lists.ts'
import type {
  AnyOperator,
  CombineNode,
  FilterNode,
  LogNode,
  Operator,
  Pane,
  Sample,
  ScanNode,
  SeriesNode,
  StreamNode,
  TableNode,
  WindowNode,
} from './nodes.ts'

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
