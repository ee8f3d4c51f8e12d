import { type Static, Type } from 'typebox'

/** What the dashboard's first page and its page of the pipeline's health show. */

const Count = (description: string) => Type.Integer({ minimum: 0, description })

export const Overview = Type.Object({
  tenant: Type.String(),
  at: Type.String({ description: 'When this was counted, ISO 8601' }),
  meters: Type.Object({
    known: Count('Meters that are registered or were ever seen'),
    reporting: Count('Of these, those that are not silent'),
    silent: Count('Of these, those that spoke once and are silent'),
    neverSeen: Count('Registered, and no reading yet'),
  }),
  readingsPerSecond: Type.Number({ description: 'Readings of the tenant over the last minute' }),
  lagSeconds: Type.Union([
    Type.Number({ description: 'How far the windows are behind the log; the slowest processor' }),
    Type.Null(),
  ]),
  anomaliesLastHour: Type.Array(Type.Object({ kind: Type.String(), count: Count('Active ones') })),
})
export type Overview = Static<typeof Overview>

export const PipelineStage = Type.Object({
  stage: Type.Union([
    Type.Literal('bridge'),
    Type.Literal('processor'),
    Type.Literal('questdb'),
    Type.Literal('live'),
  ]),
  ready: Type.Boolean(),
  reasons: Type.Array(Type.String(), { description: 'Why it is not ready' }),
  total: Type.Union([
    Type.Number({
      description:
        'What it has done since it started: readings in Kafka, records computed, rows ' +
        'acknowledged, records that the live feed has read. Ask twice for a rate; it goes ' +
        'back where a process was restarted',
    }),
    Type.Null(),
  ]),
  unit: Type.String({ description: 'What is counted', examples: ['readings', 'rows'] }),
  lagRecords: Type.Union([Type.Number(), Type.Null()]),
  lagSeconds: Type.Union([Type.Number(), Type.Null()]),
})
export type PipelineStage = Static<typeof PipelineStage>

export const Pipeline = Type.Object({
  at: Type.String({ description: 'When this was counted, ISO 8601' }),
  stages: Type.Array(PipelineStage),
  deadLetters: Type.Array(
    Type.Object({ reason: Type.String(), total: Count('Since the bridges started') }),
  ),
})
export type Pipeline = Static<typeof Pipeline>
