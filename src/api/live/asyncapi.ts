import { LIMITS } from '../../kernel/limits.ts'
import { ClientMessage, CLOSE_CODES, ServerMessage } from '../contract/live.ts'

const named = (schemas: readonly { properties: { type: { const: string } } }[]) =>
  schemas.map((schema) => [schema.properties.type.const, schema] as const)

const messages = (schemas: Parameters<typeof named>[0]) =>
  Object.fromEntries(
    named(schemas).map(([name, payload]) => [
      name,
      { name, contentType: 'application/json', payload },
    ]),
  )

/** The feed's messages as an AsyncAPI 3.0 document. Source: asyncapi.com, specification 3.0.0. */
export function asyncApi(): object {
  const refs = (schemas: Parameters<typeof named>[0]) =>
    named(schemas).map(([name]) => ({ $ref: `#/channels/live/messages/${name}` }))
  const codes = Object.entries(CLOSE_CODES).map(([name, code]) => `${code} (${name})`)
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Meterloom live feed',
      version: '1.0.0',
      description:
        'One WebSocket, JSON texts. A client subscribes; each message names its subscription. ' +
        'The token of a subscription says where it is: a later subscription to the same topic ' +
        `goes on from it without a gap for ${LIMITS.liveReplayMsMax / 60_000} min, and beyond ` +
        `that is told resync. The server closes with ${codes.join(', ')}.`,
    },
    servers: { this: { host: '127.0.0.1:8080', protocol: 'ws' } },
    channels: {
      live: {
        address: '/api/live',
        messages: { ...messages(ClientMessage.anyOf), ...messages(ServerMessage.anyOf) },
      },
    },
    operations: {
      send: {
        action: 'receive',
        summary: 'What a client may send',
        channel: { $ref: '#/channels/live' },
        messages: refs(ClientMessage.anyOf),
      },
      receive: {
        action: 'send',
        summary: 'What a client is told',
        channel: { $ref: '#/channels/live' },
        messages: refs(ServerMessage.anyOf),
      },
    },
  }
}
