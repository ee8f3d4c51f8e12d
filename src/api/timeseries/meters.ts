import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { LIMITS } from '../../kernel/limits.ts'
import { formatMicros, MICROS_PER_MILLI } from '../../kernel/time.ts'
import { pageOf } from '../contract/answers.ts'
import { type LatestValue, MeterItem } from '../contract/items.ts'
import { MetersQuery } from '../contract/queries.ts'
import type { SeenMeter } from '../fleet-view.ts'
import { PROBLEMS, jsonOrCsv } from '../plugins/docs.ts'
import { tenantOf } from '../plugins/principal.ts'
import { type Csv, sendCsv, wantsCsv } from './csv.ts'
import { readCursor, writeCursor } from './cursor.ts'
import type { FleetFacts } from './fleet-facts.ts'
import { PAGE_ITEMS } from './rows.ts'

/** One query for meters, whichever page of it. */
class MetersOf {
  private readonly facts: FleetFacts
  private readonly tenant: string
  private readonly query: MetersQuery
  private readonly queryFacts: readonly unknown[]
  private readonly after: string | undefined
  private readonly signal: AbortSignal

  /** @throws api.foreignCursor, api.starting */
  constructor(facts: FleetFacts, request: FastifyRequest, query: MetersQuery) {
    facts.checkReady()
    const { meterId, search, place, silent, cursor } = query
    this.facts = facts
    this.tenant = tenantOf(request)
    this.query = query
    this.signal = request.signal
    const filters = [meterId, search, place, silent].map((value) => value ?? null)
    this.queryFacts = ['meters', this.tenant, ...filters]
    const place0 = cursor === undefined ? [] : readCursor(cursor, this.queryFacts, ['string'])
    this.after = place0[0] === undefined ? undefined : String(place0[0])
  }

  async page(): Promise<{ items: MeterItem[]; next: string | null }> {
    const { limit = PAGE_ITEMS } = this.query
    const ids = await this.ids()
    const shown = ids.slice(0, limit)
    const last = shown.at(-1)
    const next =
      ids.length > limit && last !== undefined ? writeCursor(this.queryFacts, [last]) : null
    return { items: await this.items(shown), next }
  }

  get csv(): Csv<MeterItem> {
    return { name: 'meters', fields: Object.keys(MeterItem.properties), batches: this.all() }
  }

  private async *all(): AsyncGenerator<readonly MeterItem[]> {
    const ids = await this.ids()
    for (let at = 0; at < ids.length; at += LIMITS.apiCsvMetersAtOnce) {
      yield await this.items(ids.slice(at, at + LIMITS.apiCsvMetersAtOnce))
    }
  }

  /** Of all pages from here on. */
  private async ids(): Promise<readonly string[]> {
    const { facts, tenant, after, query } = this
    const { meterId, search, place, silent } = query
    const words = search?.toLowerCase()
    const learned = await facts.learnedIntervals(tenant)
    const holds = (text: string | undefined) => text?.toLowerCase().includes(words!) ?? false
    return facts.ids(tenant).filter((id) => {
      if (after !== undefined && id <= after) return false
      if (meterId !== undefined && id !== meterId) return false
      const spec = facts.registry.meter(tenant, id)
      if (place !== undefined && spec.place !== place) return false
      if (words !== undefined && !holds(id) && !holds(spec.place)) return false
      return silent === undefined || facts.isSilent(tenant, id, learned) === silent
    })
  }

  private async items(ids: readonly string[]): Promise<MeterItem[]> {
    const { facts, tenant, signal } = this
    const [learned, completeness] = await Promise.all([
      facts.learnedIntervals(tenant),
      facts.completeness(tenant, ids, signal),
    ])
    return ids.map((meterId) => {
      const { place, zone, registered } = facts.registry.meter(tenant, meterId)
      const seen = facts.fleet.meter(tenant, meterId)
      const arrived = seen?.lastArrivedMillis
      return {
        ...{ meterId, place: place ?? null, zone, registered },
        lastAt: seen === undefined ? null : formatMicros(seen.lastAt),
        lastArrivedAt: arrived === undefined ? null : formatMicros(arrived * MICROS_PER_MILLI),
        expectedIntervalS: facts.intervalOf(tenant, meterId, learned) ?? null,
        completeness24h: completeness.get(meterId) ?? null,
        silent: facts.isSilent(tenant, meterId, learned),
        latest: seen === undefined ? [] : this.latest(meterId, seen),
      }
    })
  }

  private latest(meterId: string, { channels }: SeenMeter): LatestValue[] {
    return [...channels]
      .map(([channel, { at, value, quality }]) => {
        const { unit, kind } = this.facts.registry.channel(this.tenant, meterId, channel)
        return { channel, unit, kind, at: formatMicros(at), value, quality }
      })
      .sort((a, b) => (a.channel < b.channel ? -1 : 1))
  }
}

/** The fleet, meter by meter, as it is now. */
export const meterRoutes: FastifyPluginAsyncTypebox<{ facts: FleetFacts }> = (scope, { facts }) => {
  scope.get(
    '/meters',
    {
      schema: {
        summary: 'Meters with their latest values, whether they are silent, and completeness',
        tags: ['meters'],
        querystring: MetersQuery,
        response: { 200: jsonOrCsv(pageOf(MeterItem)), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const meters = new MetersOf(facts, request, request.query)
      if (wantsCsv(request, request.query.format)) return sendCsv(request, reply, meters.csv)
      return meters.page()
    },
  )
  return Promise.resolve()
}
