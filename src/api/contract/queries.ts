import { type Static, Type } from 'typebox'

/** The query strings of the api. */

const Name = (description: string, example: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength: 256, description, examples: [example] }))
const Instant = (description: string) =>
  Type.Optional(
    Type.String({ description, examples: ['2026-11-20T00:00:00Z', '2026-11-20T01:00:00+01:00'] }),
  )

const Page = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 10_000, default: 100, description: 'Items of one page' }),
  ),
  cursor: Type.Optional(
    Type.String({ maxLength: 4_096, description: '`next` of the page before; opaque' }),
  ),
  format: Type.Optional(
    Type.Union([Type.Literal('json'), Type.Literal('csv')], {
      default: 'json',
      description:
        'csv: every item from the cursor on, streamed, `limit` left out of account; ' +
        '`Accept: text/csv` means the same',
    }),
  ),
}

const Range = {
  from: Instant('First instant, included; 24 h before `to` where left out'),
  to: Instant('Last instant, not included; now where left out'),
}

const Points = Type.Optional(
  Type.Integer({
    minimum: 2,
    maximum: 10_000,
    description:
      'For a chart: at most so many points, from the narrowest width that fits; needs meterId ' +
      'and channel, takes no cursor, and limit has no part in it',
  }),
)

const Order = Type.Optional(
  Type.Union([Type.Literal('asc'), Type.Literal('desc')], {
    default: 'asc',
    description:
      'By time; items of one time by meter, channel and what else tells them apart, as Unicode ' +
      'counts. desc is the exact reverse',
  }),
)

export const MetersQuery = Type.Object(
  {
    ...Page,
    meterId: Name('Only this meter', 'sim-0001'),
    search: Name('Only meters whose id or place holds this, in any case', 'sim'),
    place: Name('Only meters of this place', 'North'),
    silent: Type.Optional(Type.Boolean({ description: 'Only those that are silent, or are not' })),
  },
  { additionalProperties: false },
)
export type MetersQuery = Static<typeof MetersQuery>

const SeriesFilter = {
  meterId: Name('Only this meter', 'sim-0001'),
  channel: Name('Only this channel', 'power_w'),
}

export const ReadingsQuery = Type.Object(
  { ...Page, ...Range, ...SeriesFilter, order: Order },
  { additionalProperties: false },
)
export type ReadingsQuery = Static<typeof ReadingsQuery>

export const WindowsQuery = Type.Object(
  {
    ...Page,
    ...Range,
    ...SeriesFilter,
    order: Order,
    width: Name('Only this width; without it and with points, the one that fits', '15m'),
    points: Points,
  },
  { additionalProperties: false },
)
export type WindowsQuery = Static<typeof WindowsQuery>

export const BaselinesQuery = Type.Object(
  {
    ...Page,
    ...Range,
    ...SeriesFilter,
    order: Order,
    width: Name('Only this width', '15m'),
    kind: Name('Only this kind', 'rolling'),
    points: Points,
  },
  { additionalProperties: false },
)
export type BaselinesQuery = Static<typeof BaselinesQuery>

export const AnomaliesQuery = Type.Object(
  {
    ...Page,
    ...Range,
    ...SeriesFilter,
    order: Order,
    width: Name('Only this width', '15m'),
    kind: Name('Only this kind', 'energy_spike'),
    severity: Name('Only this severity', 'high'),
    state: Type.Optional(
      Type.Union(
        [
          Type.Literal('active'),
          Type.Literal('retracted'),
          Type.Literal('ended'),
          Type.Literal('any'),
        ],
        { default: 'active' },
      ),
    ),
  },
  { additionalProperties: false },
)
export type AnomaliesQuery = Static<typeof AnomaliesQuery>
