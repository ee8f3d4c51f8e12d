import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { pageOf } from '../contract/answers.ts'
import { AnomalyItem } from '../contract/items.ts'
import { AnomaliesQuery } from '../contract/queries.ts'
import { PROBLEMS, jsonOrCsv } from '../plugins/docs.ts'
import { sendCsv, wantsCsv } from './csv.ts'
import { RowsOf, type Store, given } from './rows.ts'
import { type ShownTable, count, end, number, start, state, text } from './table.ts'
import { checkWidth } from './widths.ts'

const ANOMALIES: ShownTable<AnomalyItem> = {
  name: 'anomalies',
  fields: {
    meterId: text('meter_id'),
    channel: text('channel'),
    width: text('width'),
    kind: text('kind'),
    start,
    end,
    score: number('score'),
    pctChange: number('pct_change'),
    expected: number('expected'),
    lower: number('lower'),
    upper: number('upper'),
    value: number('value'),
    severity: text('severity'),
    state,
    run: count('run'),
    revision: count('revision'),
  },
  key: ['meter_id', 'channel', 'width', 'kind'],
}

/** Verdicts on windows; those that were taken back only where they are asked for. */
export const anomalyRoutes: FastifyPluginAsyncTypebox<{ store: Store }> = (scope, { store }) => {
  scope.get(
    '/anomalies',
    {
      schema: {
        summary: 'Windows that stand out of their own past',
        tags: ['timeseries'],
        querystring: AnomaliesQuery,
        response: { 200: jsonOrCsv(pageOf(AnomalyItem)), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { meterId, channel, width, kind, severity, state, ...query } = request.query
      checkWidth(width)
      const only = state === 'any' ? undefined : (state ?? 'active')
      const filters = given({ meter_id: meterId, channel, width, kind, severity, state: only })
      const rows = new RowsOf(store, ANOMALIES, request, { query, filters })
      if (wantsCsv(request, query.format)) return sendCsv(request, reply, rows.csv)
      return rows.page()
    },
  )
  return Promise.resolve()
}
