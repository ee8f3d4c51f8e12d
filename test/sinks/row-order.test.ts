import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { orderByTime } from '../../src/sinks/row-order.ts'

const spans = fc.constantFrom(3, 5_000, 86_400_000_000, Number.MAX_SAFE_INTEGER - 1)

test('the order is the one of a stable sort, however far the times lie apart', () => {
  const times = spans.chain((span) =>
    fc.tuple(fc.constantFrom(0, -span), fc.array(fc.integer({ min: 0, max: span }))),
  )
  fc.assert(
    fc.property(times, ([base, distances]) => {
      const values = distances.map((distance) => base + distance)
      const expected = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!)
      // Behind `count` the columns of a batch may hold anything.
      const longer = Float64Array.from([...values, -1e15, NaN])
      assert.deepEqual([...orderByTime(longer, values.length)], expected)
    }),
    { numRuns: 300 },
  )
})
