import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asyncApi } from '../../../src/api/live/asyncapi.ts'
import { ClientMessage, ServerMessage } from '../../../src/api/contract/live.ts'

// Goal: the document of the feed names every message once, and refers to nothing that is not there.

interface Document {
  readonly asyncapi: string
  readonly channels: { readonly live: { readonly messages: Readonly<Record<string, object>> } }
  readonly operations: Readonly<Record<string, { messages: readonly { $ref: string }[] }>>
}

test('every message is described, and every reference leads somewhere', () => {
  const document = JSON.parse(JSON.stringify(asyncApi())) as Document
  assert.equal(document.asyncapi, '3.0.0')
  const count = ClientMessage.anyOf.length + ServerMessage.anyOf.length
  assert.equal(Object.keys(document.channels.live.messages).length, count)
  const refs = Object.values(document.operations).flatMap(({ messages }) => messages)
  assert.equal(refs.length, count)
  for (const { $ref } of refs) {
    const found = $ref
      .slice(2)
      .split('/')
      .reduce<unknown>((node, name) => (node as Record<string, unknown>)[name], document)
    assert.equal(typeof found, 'object', $ref)
  }
})
