import { type Static, Type } from 'typebox'
import { AnomalyItem, ReadingItem, WindowItem } from './items.ts'

/**
 * The messages of the WebSocket `/api/live`, JSON texts. `docs/live.md` tells how they follow each
 * other; the AsyncAPI document under `/api/live/asyncapi.json` is made from here.
 */

export const LIVE_TOPICS = ['readings', 'windows', 'anomalies'] as const
export type LiveTopic = (typeof LIVE_TOPICS)[number]

const Topic = Type.Union([
  Type.Literal('readings'),
  Type.Literal('windows'),
  Type.Literal('anomalies'),
])
const Names = (description: string) =>
  Type.Array(Type.String({ minLength: 1, maxLength: 255 }), { maxItems: 1_000, description })
const Id = Type.String({
  minLength: 1,
  maxLength: 64,
  description: "The client's own name of the subscription, on every message of it",
})
const Token = Type.String({
  maxLength: 4_096,
  description:
    'Where the subscription of this message was, signed; one with the same topic may go on from it',
})

export const Subscribe = Type.Object(
  {
    type: Type.Literal('subscribe'),
    id: Id,
    topic: Topic,
    mode: Type.Union([Type.Literal('every'), Type.Literal('latest')], {
      description:
        'every: each item once, in the order of its meter. latest: the newest item of each ' +
        'series, as often as the reader keeps up',
    }),
    meters: Type.Optional(Names('Meter ids; with places, those of either. Neither: all meters')),
    places: Type.Optional(Names('Places: the meters that are there')),
    channels: Type.Optional(Names('Channels; all where left out')),
    widths: Type.Optional(Names('Of windows and anomalies: widths; all where left out')),
    kinds: Type.Optional(Names('Of anomalies: kinds; all where left out')),
    token: Type.Optional(Token),
  },
  { additionalProperties: false },
)
export type Subscribe = Static<typeof Subscribe>

export const Unsubscribe = Type.Object(
  { type: Type.Literal('unsubscribe'), id: Id },
  { additionalProperties: false },
)
export const Ping = Type.Object({ type: Type.Literal('ping') }, { additionalProperties: false })

export const ClientMessage = Type.Union([Subscribe, Unsubscribe, Ping])
export type ClientMessage = Static<typeof ClientMessage>

export const Hello = Type.Object({
  type: Type.Literal('hello'),
  tenant: Type.String(),
  pingSeconds: Type.Number({ description: 'How often the server pings; who is silent is closed' }),
})
export const Subscribed = Type.Object({
  type: Type.Literal('subscribed'),
  id: Id,
  resumed: Type.Boolean({ description: 'Whether it goes on from the token without a gap' }),
  token: Token,
})
export const Unsubscribed = Type.Object({ type: Type.Literal('unsubscribed'), id: Id })
export const Resync = Type.Object({
  type: Type.Literal('resync'),
  id: Id,
  reason: Type.String({
    description: 'Why the feed cannot go on from the token: ask the REST api for what lies between',
  }),
})
const items = <const Name extends LiveTopic, T extends Parameters<typeof Type.Array>[0]>(
  topic: Name,
  item: T,
) =>
  Type.Object({
    type: Type.Literal(topic),
    id: Id,
    items: Type.Array(item),
    token: Type.Optional(Token),
  })
export const Readings = items('readings', ReadingItem)
export const Windows = items('windows', WindowItem)
export const Anomalies = items('anomalies', AnomalyItem)
export const Pong = Type.Object({ type: Type.Literal('pong') })
export const LiveError = Type.Object({
  type: Type.Literal('error'),
  id: Type.Optional(Id),
  code: Type.String({ examples: ['live.badMessage'] }),
  message: Type.String({ description: 'Names the value and the remedy' }),
})

export const ServerMessage = Type.Union([
  Hello,
  Subscribed,
  Unsubscribed,
  Resync,
  Readings,
  Windows,
  Anomalies,
  Pong,
  LiveError,
])
export type ServerMessage = Static<typeof ServerMessage>

/** Why the server closes a connection: WebSocket close codes of our own range. */
export const CLOSE_CODES = {
  /** It did not read for too long: connect again and resume with the token of the last message. */
  slowReader: 4008,
  /** It did not answer pings. */
  silent: 4009,
  /** Too many connections or subscriptions. */
  tooMany: 4029,
} as const
