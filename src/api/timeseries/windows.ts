import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { WindowChart, pageOf } from '../contract/answers.ts'
import { WindowItem } from '../contract/items.ts'
import { WindowsQuery } from '../contract/queries.ts'
import { PROBLEMS, jsonOrCsv } from '../plugins/docs.ts'
import { type Charted, chartCsv, chartOf, chartQuery } from './chart.ts'
import { sendCsv, wantsCsv } from './csv.ts'
import { RowsOf, type Store, given } from './rows.ts'
import { type ShownTable, count, end, flag, number, start, text } from './table.ts'
import { WINDOW_LADDER, checkWidth } from './widths.ts'

const WINDOWS: ShownTable<WindowItem> = {
  name: 'windows',
  fields: {
    meterId: text('meter_id'),
    channel: text('channel'),
    width: text('width'),
    start,
    end,
    count: count('count'),
    expected: number('expected'),
    completeness: number('completeness'),
    sum: number('sum'),
    min: number('min'),
    max: number('max'),
    mean: number('mean'),
    first: number('first'),
    last: number('last'),
    stddev: number('stddev'),
    energyWh: number('energy_wh'),
    estimated: flag('estimated'),
    revision: count('revision'),
  },
  key: ['meter_id', 'channel', 'width'],
}

/** Hours without a row count as missing: what is expected is that of all hours. */
function combineHours(hours: number): Readonly<Record<string, string>> {
  const expected = `${hours} * avg("expected")`
  return {
    count: 'sum("count")',
    expected,
    completeness:
      `CASE WHEN sum("count") < ${expected} THEN sum("count") / (${expected}) ` +
      `WHEN avg("expected") IS NOT NULL THEN 1.0 END`,
    sum: 'sum("sum")',
    min: 'min("min")',
    max: 'max("max")',
    mean: 'sum("sum") / sum("count")',
    first: 'first_not_null("first")',
    last: 'last_not_null("last")',
    stddev: 'cast(null as double)',
    energy_wh: 'sum("energy_wh")',
    estimated: 'max(CASE WHEN "estimated" THEN 1 ELSE 0 END) = 1',
    revision: 'max("revision")',
  }
}

const CHARTED: Charted<WindowItem> = {
  table: WINDOWS,
  ladder: WINDOW_LADDER,
  combine: combineHours,
}

/** Windows of the series, as late readings have restated them. */
export const windowRoutes: FastifyPluginAsyncTypebox<{ store: Store }> = (scope, { store }) => {
  scope.get(
    '/windows',
    {
      schema: {
        summary: 'Windows of 1m, 15m and 1h; wider ones for a chart',
        tags: ['timeseries'],
        querystring: WindowsQuery,
        response: {
          200: jsonOrCsv(Type.Union([pageOf(WindowItem), WindowChart])),
          ...PROBLEMS,
        },
      },
    },
    async (request, reply) => {
      const { points, ...query } = request.query
      const isCsv = wantsCsv(request, query.format)
      if (points !== undefined) {
        const asked = { query: chartQuery(query, points), filters: [] }
        const chart = chartOf(store, CHARTED, request, asked)
        return isCsv ? sendCsv(request, reply, chartCsv(CHARTED, chart)) : chart
      }
      const { meterId, channel, width, ...rest } = query
      checkWidth(width)
      const filters = given({ meter_id: meterId, channel, width })
      const rows = new RowsOf(store, WINDOWS, request, { query: rest, filters })
      return isCsv ? sendCsv(request, reply, rows.csv) : rows.page()
    },
  )
  return Promise.resolve()
}
