import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { LIMITS } from '../../src/kernel/limits.ts'
import { SampleStore } from '../../src/engine/samples.ts'

interface Sample {
  readonly at: number
  readonly value: number
  readonly seq: number
  readonly quality: number
}

type Step =
  | { readonly kind: 'put'; readonly list: number; readonly sample: Sample }
  | { readonly kind: 'evict'; readonly list: number; readonly before: number }

const LISTS = 4
const listOf = fc.nat(LISTS - 1)
const sample = fc.record({
  at: fc.nat(400),
  value: fc.double({ noNaN: true }),
  seq: fc.oneof(fc.constant(-Infinity), fc.nat()),
  quality: fc.nat(3),
})
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 9, arbitrary: fc.record({ kind: fc.constant('put'), list: listOf, sample }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('evict'), list: listOf, before: fc.nat(400) }),
  },
)

function held(store: SampleStore, list: number): Sample[] {
  return Array.from({ length: store.count(list) }, (_, i) => ({
    at: store.atOf(list, i),
    value: store.valueOf(list, i),
    seq: store.seqOf(list, i),
    quality: store.qualityOf(list, i),
  }))
}

test('inserted, corrected and evicted samples are those of a sorted map', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 600 }), (steps) => {
      const store = new SampleStore()
      store.grow(LISTS)
      const model = Array.from({ length: LISTS }, () => new Map<number, Sample>())
      for (const one of steps) {
        const known = model[one.list]!
        if (one.kind === 'evict') {
          for (const at of known.keys()) if (at < one.before) known.delete(at)
          store.dropFirst(one.list, store.lowerBound(one.list, one.before))
          continue
        }
        const { at, value, seq, quality } = one.sample
        const index = store.lowerBound(one.list, at)
        if (known.has(at)) {
          assert.equal(store.atOf(one.list, index), at)
          store.replace(one.list, index, at, value, seq, quality)
        } else {
          assert.equal(store.insert(one.list, index, at, value, seq, quality), true)
        }
        known.set(at, { at, value, seq, quality })
      }
      for (const [list, known] of model.entries()) {
        const sorted = [...known.values()].sort((a, b) => a.at - b.at)
        assert.deepEqual(held(store, list), sorted)
      }
    }),
  )
})

test('a list that is at its limit says so, and keeps what it holds', () => {
  const store = new SampleStore()
  store.grow(2)
  store.insert(1, 0, 7, 7, 7, 0)
  for (let i = 0; i < LIMITS.samplesPerSeriesMax; i++) {
    assert.equal(store.insert(0, i, i, i, i, 0), true)
  }
  assert.equal(store.insert(0, store.count(0), 1e6, 1, 1, 0), false)
  assert.equal(store.count(0), LIMITS.samplesPerSeriesMax)
  assert.equal(store.atOf(0, LIMITS.samplesPerSeriesMax - 1), LIMITS.samplesPerSeriesMax - 1)
  assert.deepEqual(held(store, 1), [{ at: 7, value: 7, seq: 7, quality: 0 }])
})

test('memory does not grow while samples come and go', () => {
  const store = new SampleStore()
  store.grow(50)
  const run = (from: number) => {
    for (let list = 0; list < 50; list++) {
      for (let i = from; i < from + 1_000; i++) {
        store.insert(list, store.count(list), i, i, 0, 0)
        if (store.count(list) > 100) store.dropFirst(list, 50)
      }
    }
  }
  run(0)
  const { bytes } = store
  run(1_000)
  assert.equal(store.bytes, bytes)
})
