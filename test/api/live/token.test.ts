import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Tokens } from '../../../src/api/live/token.ts'
import { decodePlace, encodePlace, type TopicPlace } from '../../../src/api/live/position.ts'
import { LIVE_TOPICS } from '../../../src/api/contract/live.ts'

// Goal: a token gives back the very place that it was made of; nothing else is taken for one.

const place: fc.Arbitrary<TopicPlace> = fc
  .record({
    tenant: fc.string({ minLength: 1, unit: 'grapheme' }),
    topic: fc.constantFrom(...LIVE_TOPICS),
    epoch: fc.nat(511),
    logMillis: fc.nat({ max: 4e12 }),
    partitions: fc.array(
      fc.record({
        next: fc.nat({ max: 2 ** 44 }),
        sourceOffset: fc.integer({ min: -1, max: 511 * 2 ** 44 }),
        sourceIndex: fc.integer({ min: -1, max: 2 ** 31 }),
      }),
      { minLength: 1, maxLength: 64 },
    ),
  })
  // As object literals are.
  .map((one): TopicPlace => ({ ...one, partitions: one.partitions.map((p) => ({ ...p })) }))

test('a place survives its token', () => {
  const tokens = new Tokens('secret')
  fc.assert(
    fc.property(place, (one) => {
      assert.deepEqual(decodePlace(encodePlace(one)), one)
      assert.deepEqual(tokens.read(tokens.issue(one)), one)
    }),
  )
})

test('bytes that were changed or cut are no token', () => {
  const tokens = new Tokens('secret')
  fc.assert(
    fc.property(place, fc.nat(), fc.integer({ min: 1, max: 255 }), (one, at, change) => {
      const bytes = Buffer.from(tokens.issue(one), 'base64url')
      const changed = Buffer.from(bytes)
      changed[at % bytes.length]! ^= change
      assert.equal(tokens.read(changed.toString('base64url')), undefined)
      const cut = bytes.subarray(0, at % bytes.length)
      assert.equal(tokens.read(cut.toString('base64url')), undefined)
    }),
  )
})

test('any bytes are read as a place or as none', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const read = decodePlace(Buffer.from(bytes))
      assert.ok(read === undefined || read.partitions.length > 0)
    }),
  )
})
