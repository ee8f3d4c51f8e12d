import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { Timers } from '../../../src/engine/time/timers.ts'

type Step = { readonly due: number; readonly meter: number } | 'pop'

const step: fc.Arbitrary<Step> = fc.oneof(
  // Few moments, so that many meters are due at one.
  fc.record({ due: fc.nat(8), meter: fc.nat(500) }),
  fc.constant('pop' as const),
)

test('timers come by their time, and those of one moment in the order of their meters', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      // Names count down as slots count up, so that an order by slot would show.
      const timers = new Timers((meter, other) => meter > other)
      const naive: { due: number; meter: number }[] = []
      for (const one of steps) {
        if (one !== 'pop') {
          timers.push(one.due, one.meter)
          naive.push(one)
        } else if (naive.length > 0) {
          naive.sort((a, b) => a.due - b.due || b.meter - a.meter)
          const first = naive.shift()!
          assert.equal(timers.due, first.due)
          assert.equal(timers.pop(), first.meter)
        }
        assert.equal(timers.size, naive.length)
      }
      assert.equal(
        timers.due,
        naive.reduce((due, one) => Math.min(due, one.due), Infinity),
      )
    }),
    { numRuns: 500 },
  )
})
