import type { Topics } from '../log/topics.ts'
import { add, within } from './declare.ts'
import { engineErrors } from './errors.ts'
import type { Lateness, RekeyedNode, SeriesNode, SinkNode } from './nodes.ts'
import { RekeyedStream } from './rekey/streams.ts'
import { SeriesStream } from './series-stream.ts'
import type { LookupTable, LookupTableNode } from './tables/nodes.ts'
import type { TableDeclaration, TableShape } from './tables/nodes.ts'

export { fuse, printPipeline } from './pipeline.ts'
export type { Pipeline } from './pipeline.ts'
export { calendar, hopping, tumbling } from './spans.ts'
export { EventStream, Stream } from './streams.ts'
export type { Cells } from './streams.ts'

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
    const silence = lateness.silence === undefined ? '' : ` silence ${lateness.silence}`
    const declaration = `series disorder ${disorder} horizon ${horizon}${silence}`
    const own = Object.freeze({ ...lateness })
    return new SeriesStream(
      add<SeriesNode>({ kind: 'series', id: name, declaration, lateness: own }),
    )
  }

  /**
   * A lookup table: the rows of a compacted topic, for `lookup`s of streams. Its mode is never
   * taken for granted: see tables/nodes.ts.
   *
   * @example
   * const limits = t.table('limits', {
   *   topic: 'limits',
   *   mode: 'from-now',
   *   fields: { highW: 'number' },
   * })
   */
  table<const S extends TableShape>(name: string, table: TableDeclaration<S>): LookupTable<S> {
    const declaration = `lookup-table ${table.topic} ${table.mode} ${JSON.stringify(table.fields)}`
    const own = Object.freeze({ ...table })
    const node = { kind: 'lookup-table', id: name, declaration, table: own } as const
    return { node: add<LookupTableNode>(node) }
  }

  /** Stage two: what a `rekey` of another pipeline gave to an intermediate topic. */
  rekeyed(name: string, topic: keyof Topics): RekeyedStream {
    const declaration = `rekeyed ${topic}`
    return new RekeyedStream(add<RekeyedNode>({ kind: 'rekeyed', id: name, declaration, topic }))
  }
}

/** Declares a topology. What `build` returns are the streams that others may build on. */
export function topology<Exports>(
  name: string,
  build: (t: TopologyBuilder) => Exports,
): Topology<Exports> {
  const { sinks, exports } = within(name, () => build(new TopologyBuilder()))
  return Object.freeze({ name, sinks, exports })
}
