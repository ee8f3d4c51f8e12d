import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Registry } from '../../registry/registry.ts'
import { BaselineChart, pageOf } from '../contract/answers.ts'
import { BaselineItem } from '../contract/items.ts'
import { BaselinesQuery } from '../contract/queries.ts'
import { PROBLEMS, jsonOrCsv } from '../plugins/docs.ts'
import { tenantOf } from '../plugins/principal.ts'
import { type Charted, chartCsv, chartOf, chartQuery } from './chart.ts'
import { sendCsv, wantsCsv } from './csv.ts'
import { RowsOf, type Store, given } from './rows.ts'
import { type ShownTable, count, number, start, text } from './table.ts'
import { BASELINE_LADDER, checkWidth } from './widths.ts'

const BASELINES: ShownTable<BaselineItem> = {
  name: 'baselines',
  fields: {
    meterId: text('meter_id'),
    channel: text('channel'),
    width: text('width'),
    kind: text('kind'),
    start,
    centre: number('centre'),
    lower: number('lower'),
    upper: number('upper'),
    n: count('n'),
    revision: count('revision'),
  },
  key: ['meter_id', 'channel', 'width', 'kind'],
}

/** A chart shows one kind: two would be two points of one time. */
const CHARTED_KIND = 'rolling'

/**
 * What was expected of a wider window: of a mean, the mean of what was expected; of a register's
 * energy, as much more as the window is wider.
 */
function charted(isRegister: boolean): Charted<BaselineItem> {
  const combine = (times: number) => {
    const scale = isRegister ? times : 1
    return {
      centre: `${scale} * avg("centre")`,
      lower: `${scale} * avg("lower")`,
      upper: `${scale} * avg("upper")`,
      n: 'min("n")',
      revision: 'max("revision")',
    }
  }
  return { table: BASELINES, ladder: BASELINE_LADDER, combine }
}

export interface BaselineOptions {
  readonly store: Store
  readonly registry: Registry
}

/** What was expected of each window before it closed. */
export const baselineRoutes: FastifyPluginAsyncTypebox<BaselineOptions> = (scope, options) => {
  const { store, registry } = options
  scope.get(
    '/baselines',
    {
      schema: {
        summary: 'What was expected of each window, and the bounds of the ordinary',
        tags: ['timeseries'],
        querystring: BaselinesQuery,
        response: {
          200: jsonOrCsv(Type.Union([pageOf(BaselineItem), BaselineChart])),
          ...PROBLEMS,
        },
      },
    },
    async (request, reply) => {
      const { points, kind, ...query } = request.query
      const isCsv = wantsCsv(request, query.format)
      if (points !== undefined) {
        const asked = chartQuery(query, points)
        const spec = registry.channel(tenantOf(request), asked.meterId, asked.channel)
        const shown = charted(spec.kind === 'cumulative')
        const filters = [['kind', kind ?? CHARTED_KIND] as const]
        const chart = chartOf(store, shown, request, { query: asked, filters })
        return isCsv ? sendCsv(request, reply, chartCsv(shown, chart)) : chart
      }
      const { meterId, channel, width, ...rest } = query
      checkWidth(width)
      const filters = given({ meter_id: meterId, channel, width, kind })
      const rows = new RowsOf(store, BASELINES, request, { query: rest, filters })
      return isCsv ? sendCsv(request, reply, rows.csv) : rows.page()
    },
  )
  return Promise.resolve()
}
