import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import kafkajs from 'kafkajs'
import { assign } from '../../src/log/group/assign.ts'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  type MemberSubscription,
  type Share,
} from '../../src/log/group/wire.ts'

// Goal: a group's partitions are shared evenly and stay with who holds their state, and what
// members say to each other is what other clients say.

const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol

const counts = new Map([
  ['t', 12],
  ['u', 5],
])
const said = (owned: Share = new Map()): MemberSubscription => ({ topics: ['t', 'u'], owned })
const numbers = (share: Share) => share.get('t') ?? []

function shared(members: ReadonlyMap<string, MemberSubscription>) {
  return assign(members, counts)
}

test('each number has one owner, whatever the topics, and nobody has two more than another', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 15 }), (ids) => {
      const shares = shared(new Map(ids.map((id) => [id, said()])))
      const all = [...shares.values()].flatMap(numbers)
      assert.deepEqual(
        all.toSorted((a, b) => a - b),
        [...Array(12).keys()],
      )
      const sizes = [...shares.values()].map((share) => numbers(share).length)
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1)
      for (const share of shares.values()) {
        assert.deepEqual(
          share.get('u') ?? [],
          numbers(share).filter((number) => number < 5),
        )
      }
    }),
  )
})

test('who holds a number keeps it, as far as that is even', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.boolean(), fc.nat(7), (count, joins, which) => {
      const ids = Array.from({ length: count }, (_, i) => `m-${i}`)
      const before = shared(new Map(ids.map((id) => [id, said()])))
      const left = joins ? ids : ids.filter((_, i) => i !== which % count)
      const now = joins ? [...left, 'a-new'] : left
      if (now.length === 0) return
      const after = shared(new Map(now.map((id) => [id, said(before.get(id))])))
      const most = Math.ceil(12 / now.length)
      for (const id of left) {
        const kept = numbers(after.get(id)!).filter((n) => numbers(before.get(id)!).includes(n))
        const had = numbers(before.get(id)!).length
        // One that keeps all it had, or as much as anybody may have less one, has moved the least.
        assert.ok(kept.length >= Math.min(had, most - 1), `${id} kept ${kept.length} of ${had}`)
      }
    }),
  )
})

test('members that claim the same, or what is not there, are not believed', () => {
  const claims = new Map([['t', [0, 1, 2, 3, 99]]])
  const shares = shared(
    new Map([
      ['a', said(claims)],
      ['b', said(claims)],
    ]),
  )
  assert.deepEqual(numbers(shares.get('a')!).slice(0, 4), [0, 1, 2, 3])
  assert.deepEqual(
    [...shares.values()].map((share) => numbers(share).length),
    [6, 6],
  )
})

test('what is said is read back, and kafkajs reads it too', () => {
  const owned = new Map([
    ['t', [3, 1]],
    ['u', []],
  ])
  const subscription = encodeSubscription(said(owned))
  assert.deepEqual(decodeSubscription(subscription), said(owned))
  assert.deepEqual(MemberMetadata.decode(subscription)?.topics, ['t', 'u'])
  const assignment = encodeAssignment(owned)
  assert.deepEqual(decodeAssignment(assignment), owned)
  assert.deepEqual({ ...MemberAssignment.decode(assignment)?.assignment }, { t: [3, 1], u: [] })
  assert.deepEqual(decodeAssignment(Buffer.alloc(0)), new Map())
  // A member of another make says nothing of what it owned, or something else.
  const other = { version: 0, topics: ['t'], userData: Buffer.from('else') }
  const foreign = MemberMetadata.encode(other)
  assert.deepEqual(decodeSubscription(foreign), { topics: ['t'], owned: new Map() })
})
