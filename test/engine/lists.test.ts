import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { hasCode } from '../../src/kernel/errors.ts'
import { BoundedLists, list } from '../../src/engine/lists.ts'

type Step =
  | { readonly kind: 'push'; readonly slot: number; readonly a: number; readonly b: number }
  | { readonly kind: 'drop'; readonly slot: number; readonly count: number }

const SLOTS = 5
const slot = fc.nat(SLOTS - 1)
const number = fc.integer()
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('push'), slot, a: number, b: number }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop'), slot, count: fc.nat(6) }) },
)

test('lists hold what arrays would hold', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const lists = new BoundedLists(list(['a', 'b'], { max: 1_000 }))
      const [a, b] = [lists.field('a'), lists.field('b')]
      lists.grow(SLOTS)
      const model: [number, number][][] = Array.from({ length: SLOTS }, () => [])
      for (const one of steps) {
        const known = model[one.slot]!
        if (one.kind === 'push') {
          const index = lists.push(one.slot)
          assert.equal(index, known.length)
          lists.set(one.slot, index, a, one.a)
          lists.set(one.slot, index, b, one.b)
          known.push([one.a, one.b])
        } else {
          const count = Math.min(one.count, known.length)
          lists.dropFirst(one.slot, count)
          known.splice(0, count)
        }
      }
      for (const [at, known] of model.entries()) {
        const found = Array.from({ length: lists.count(at) }, (_, i) => [
          lists.get(at, i, a),
          lists.get(at, i, b),
        ])
        assert.deepEqual(found, known)
      }
    }),
  )
})

test('a list that is full refuses, naming its bound', () => {
  const lists = new BoundedLists(list(['x'], { max: 3 }))
  lists.grow(1)
  for (let i = 0; i < 3; i++) lists.push(0)
  assert.throws(
    () => lists.push(0),
    (error) => hasCode(error, 'engine.listFull') && /3/.test(error.message),
  )
})

test('room that a list has outgrown serves others', () => {
  const lists = new BoundedLists(list(['x'], { max: 4_096 }))
  lists.grow(2)
  for (let i = 0; i < 4_096; i++) lists.push(0)
  const { bytes } = lists
  for (let i = 0; i < 2_048; i++) lists.push(1)
  assert.equal(lists.bytes, bytes)
})
