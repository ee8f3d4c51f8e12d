import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LIMITS } from '../../src/kernel/limits.ts'
import { decodePosition, encodePosition, isPast } from '../../src/log/position.ts'
import type { SourcePosition } from '../../src/log/position.ts'

const positions: fc.Arbitrary<SourcePosition> = fc.record({
  epoch: fc.oneof(fc.nat(3), fc.nat(LIMITS.epochMax)),
  partition: fc.oneof(fc.nat(2), fc.nat(1_000)),
  offset: fc.oneof(fc.nat(3), fc.nat(LIMITS.offsetMax)),
  index: fc.oneof(fc.nat(3), fc.nat(2 ** 32 - 1)),
})

test('any position comes back as it went in', () => {
  fc.assert(
    fc.property(positions, (position) => {
      const bytes = encodePosition(position)
      assert.equal(bytes.length, 20)
      assert.deepEqual(decodePosition(bytes), { ...position })
    }),
  )
  assert.equal(decodePosition(Buffer.alloc(19)), undefined)
  assert.equal(decodePosition(Buffer.alloc(21)), undefined)
})

test('of one input partition, positions and their bytes have one order', () => {
  fc.assert(
    fc.property(positions, positions, (a, b) => {
      const other = { ...b, partition: a.partition }
      const order = encodePosition(a).compare(encodePosition(other))
      assert.equal(isPast(a, other), order > 0)
      assert.equal(isPast(other, a), order < 0)
    }),
  )
})

test('of two input partitions in one epoch, neither is past the other', () => {
  const a = { epoch: 1, partition: 0, offset: 9, index: 0 }
  const b = { epoch: 1, partition: 1, offset: 3, index: 0 }
  assert.equal(isPast(a, b), false)
  assert.equal(isPast(b, a), false)
  // A topic that was made anew begins again, in all partitions.
  assert.equal(isPast({ ...b, epoch: 2 }, a), true)
})
