import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { pageOf } from '../contract/answers.ts'
import { ReadingItem } from '../contract/items.ts'
import { ReadingsQuery } from '../contract/queries.ts'
import { PROBLEMS, jsonOrCsv } from '../plugins/docs.ts'
import { sendCsv, wantsCsv } from './csv.ts'
import { RowsOf, type Store, given } from './rows.ts'
import { type ShownTable, number, quality, start, text } from './table.ts'

const READINGS: ShownTable<ReadingItem> = {
  name: 'readings',
  fields: {
    meterId: text('meter_id'),
    channel: text('channel'),
    at: start,
    value: number('value'),
    quality,
    seq: number('seq'),
  },
  key: ['meter_id', 'channel'],
}

/** Readings as they were measured, late and bad ones included. */
export const readingRoutes: FastifyPluginAsyncTypebox<{ store: Store }> = (scope, { store }) => {
  scope.get(
    '/readings',
    {
      schema: {
        summary: 'Readings, one item a measurement',
        tags: ['timeseries'],
        querystring: ReadingsQuery,
        response: { 200: jsonOrCsv(pageOf(ReadingItem)), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { meterId, channel, ...query } = request.query
      const filters = given({ meter_id: meterId, channel })
      const rows = new RowsOf(store, READINGS, request, { query, filters })
      if (wantsCsv(request, query.format)) return sendCsv(request, reply, rows.csv)
      return rows.page()
    },
  )
  return Promise.resolve()
}
