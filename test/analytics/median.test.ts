import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { madInPlace, medianInPlace } from '../../src/analytics/median.ts'

function bySorting(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}

// Few different values as well as many: ties are where selection goes wrong.
const value = fc.oneof(
  fc.integer({ min: 0, max: 3 }),
  fc.double({ noNaN: true, min: -1e12, max: 1e12 }),
)

test('median and MAD are those of a sort', () => {
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 120 }), (values) => {
      // What lies behind the count is none of the values.
      const scratch = Float64Array.from([...values, -Infinity, Infinity])
      const centre = medianInPlace(scratch, values.length)
      // A zero has two signs in a sort too.
      assert.equal(centre + 0, bySorting(values) + 0)
      const mad = madInPlace(scratch, values.length, centre)
      assert.equal(mad, bySorting(values.map((v) => Math.abs(v - centre))))
    }),
    { numRuns: 1_000 },
  )
})

test('ascending, descending and equal values are no slow case', () => {
  for (const make of [(i: number) => i, (i: number) => -i, () => 5]) {
    const scratch = Float64Array.from({ length: 100_001 }, (_, i) => make(i))
    assert.equal(medianInPlace(scratch, 100_001), make(50_000))
  }
})
