import { type TSchema, Type } from 'typebox'
import { BaselineItem, WindowItem } from './items.ts'

/** A page of items, in the order that was asked for. */
export const pageOf = <T extends TSchema>(item: T) =>
  Type.Object({
    items: Type.Array(item),
    next: Type.Union([Type.String(), Type.Null()], {
      description: 'The cursor of the next page; null on the last one',
    }),
  })

/** What a query with `points` answers: one width for all of them, in the order of time. */
const chartOf = <T extends TSchema>(item: T) =>
  Type.Object({
    items: Type.Array(item),
    next: Type.Null(),
    width: Type.String({
      description: 'Of each point: a width of the windows, or a multiple of one such as 6h or 7d',
      examples: ['15m'],
    }),
  })
export const WindowChart = chartOf(WindowItem)
export const BaselineChart = chartOf(BaselineItem)

/** RFC 9457, with what is wrong and what mends it. */
export const Problem = Type.Object({
  type: Type.String({ description: 'A URI of the kind of problem', examples: ['about:blank'] }),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String({ description: 'Names field, value and remedy' }),
  code: Type.String({ description: 'Stable; programs match on it', examples: ['api.badQuery'] }),
  instance: Type.String({
    description: 'This one occurrence, by which the log of the api is searched',
    examples: ['urn:uuid:0b0d2c4e-5f5e-4b0a-9d0a-0f8a4c4c9a53'],
  }),
  field: Type.Optional(Type.String()),
  value: Type.Optional(Type.String()),
  remedy: Type.Optional(Type.String()),
})
