import { type Static, Type } from 'typebox'

/**
 * The things that the api answers, one shape for REST and for the live feed. Times are ISO 8601 in
 * UTC with six fraction digits; what is not known is null.
 */

const Time = (description: string) =>
  Type.String({ description, examples: ['2026-11-20T00:00:00.000000Z'] })
const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()])
const Value = (description: string) => nullable(Type.Number({ description }))

const Series = {
  meterId: Type.String(),
  channel: Type.String({ examples: ['power_w'] }),
}

export const QualityName = Type.Union([
  Type.Literal('MEASURED'),
  Type.Literal('ESTIMATED'),
  Type.Literal('SUSPECT'),
  Type.Literal('BAD'),
])

export const ReadingItem = Type.Object({
  ...Series,
  at: Time('When it was measured'),
  value: Value('In the unit of the channel; null where the row holds none'),
  quality: QualityName,
  seq: nullable(Type.Integer({ description: "The device's own count, where it has one" })),
})
export type ReadingItem = Static<typeof ReadingItem>

export const WindowItem = Type.Object({
  ...Series,
  width: Type.String({ examples: ['15m'] }),
  start: Time('Start, included'),
  end: Time('End, not included'),
  count: Type.Integer({ description: 'Samples that are not BAD' }),
  expected: Value('Samples that were expected'),
  completeness: Value('count / expected, at most 1'),
  sum: Value('Of the samples'),
  min: Value('Of the samples'),
  max: Value('Of the samples'),
  mean: Value('Of the samples'),
  first: Value('The earliest sample'),
  last: Value('The latest sample'),
  stddev: Value('With n - 1'),
  energyWh: Value('Of interval and cumulative channels'),
  estimated: Type.Boolean({ description: 'Energy across a gap above the maximum of the channel' }),
  revision: Type.Integer({ description: 'A higher one of the same window replaces it' }),
})
export type WindowItem = Static<typeof WindowItem>

export const BaselineItem = Type.Object({
  ...Series,
  width: Type.String({ examples: ['15m'] }),
  kind: Type.String({ examples: ['rolling'] }),
  start: Time('Start of the window that it was expected of'),
  centre: Value('What was expected'),
  lower: Value('Below it is out of the ordinary'),
  upper: Value('Above it is out of the ordinary'),
  n: Type.Integer({ description: 'Windows that it was learned from' }),
  revision: Type.Integer(),
})
export type BaselineItem = Static<typeof BaselineItem>

export const AnomalyState = Type.Union(
  [Type.Literal('active'), Type.Literal('retracted'), Type.Literal('ended')],
  { description: 'retracted: it no longer holds; ended: it was so, and is over, as a silence is' },
)
export type AnomalyState = Static<typeof AnomalyState>

/** A state that nobody knows stands for one that holds. */
export const anomalyState = (text: unknown): AnomalyState =>
  text === 'retracted' || text === 'ended' ? text : 'active'

export const AnomalyItem = Type.Object({
  ...Series,
  width: Type.String({ examples: ['15m'] }),
  kind: Type.String({ examples: ['energy_spike', 'consecutive_anomalies', 'silence'] }),
  start: Time('Start of the window that it judges; of a silence: the last time that was heard'),
  end: Time('End of the window, not included'),
  score: Value('0 to 1'),
  pctChange: Value('100 * (value - expected) / |expected|'),
  expected: Value('What was expected'),
  lower: Value('Lower bound of the ordinary'),
  upper: Value('Upper bound of the ordinary'),
  value: Value('What was seen'),
  severity: Type.String({ examples: ['medium', 'high'] }),
  state: AnomalyState,
  run: Type.Integer({ description: 'Anomalous windows in a row up to and with this one' }),
  revision: Type.Integer({ description: 'A higher one of the same verdict replaces it' }),
})
export type AnomalyItem = Static<typeof AnomalyItem>

export const LatestValue = Type.Object({
  channel: Type.String(),
  unit: Type.String({ description: "'' where nobody said" }),
  kind: Type.Union([Type.Literal('gauge'), Type.Literal('interval'), Type.Literal('cumulative')]),
  at: Time('When it was measured'),
  value: Value('In the unit of the channel'),
  quality: QualityName,
})
export type LatestValue = Static<typeof LatestValue>

export const MeterItem = Type.Object({
  meterId: Type.String(),
  place: nullable(Type.String()),
  zone: Type.String({ description: 'IANA time zone of the site', examples: ['Europe/Berlin'] }),
  registered: Type.Boolean({ description: 'Whether METERS_FILE names it' }),
  lastAt: nullable(Time('Time of the newest reading')),
  lastArrivedAt: nullable(
    Time('When the log took the last reading; null where that was before this api looks back'),
  ),
  expectedIntervalS: Value('Seconds between readings, declared or learned'),
  completeness24h: Value('Readings of the last 24 h of closed windows against those expected'),
  silent: Type.Boolean({
    description: 'Nothing came for the expected intervals after which the meter counts as silent',
  }),
  latest: Type.Array(LatestValue, { description: 'By channel' }),
})
export type MeterItem = Static<typeof MeterItem>
