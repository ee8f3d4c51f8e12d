import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { RankedValues } from '../../src/analytics/ranked-values.ts'

function bySorting(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}

// Few different values as well as many: ties are where orders go wrong.
const value = fc.oneof(
  fc.integer({ min: 0, max: 3 }),
  fc.double({ noNaN: true, min: -1e12, max: 1e12 }),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e-300, max: 1e-300 }),
)
// Where they lie in what is shared, and how many there may be.
const shape = fc.record({ before: fc.nat(5), room: fc.integer({ min: 1, max: 97 }) })

test('median and MAD of the last values are those of a sort, after each of them', () => {
  fc.assert(
    fc.property(
      shape,
      fc.array(value, { minLength: 1, maxLength: 250, size: 'max' }),
      (where, added) => {
        const { before, room } = where
        // What lies around them is none of the values.
        const values = new Float64Array(before + room + 5).fill(-Infinity)
        const order = new Uint8Array(before + room + 5).fill(255)
        const ranked = new RankedValues()
        for (const [i, one] of added.entries()) {
          // Each time as from a snapshot: nothing is remembered but what lies in the arrays.
          ranked.look(values, before, order, before, Math.min(i, room))
          if (i < room) ranked.add(one)
          else ranked.replace(i % room, one)
          const last = added.slice(Math.max(0, i + 1 - room), i + 1)
          const median = bySorting(last)
          // A zero has two signs in a sort too.
          assert.ok(Object.is(ranked.median() + 0, median + 0))
          assert.ok(Object.is(ranked.mad(), bySorting(last.map((v) => Math.abs(v - median)))))
        }
        const around = (all: Float64Array | Uint8Array) =>
          [...all.subarray(0, before), ...all.subarray(before + room)].every(
            (one) => one === -Infinity || one === 255,
          )
        assert.ok(around(values) && around(order))
      },
    ),
    { numRuns: 100 },
  )
})

test('values that are all unknown have no median', () => {
  const ranked = new RankedValues()
  ranked.look(new Float64Array(4), 0, new Uint8Array(4), 0, 0)
  for (let i = 0; i < 9; i++) {
    if (i < 4) ranked.add(NaN)
    else ranked.replace(i % 4, NaN)
    assert.deepEqual([ranked.median(), ranked.mad()], [NaN, NaN])
  }
})
