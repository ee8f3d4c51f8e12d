import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { Blocks } from '../../../src/engine/state/blocks.ts'
import { PagedArray } from '../../../src/engine/state/pages.ts'
import { plainOf, plainText } from '../../../src/engine/state/plain.ts'

const LISTS = 40
const [SHIFT, SMALLEST] = [6, 2]

/** Lists that grow by one entry at a time, each entry a number that is told apart. */
class Arena {
  readonly entries = new PagedArray('f64', 2 ** SHIFT)
  readonly blocks = new Blocks(this.entries, SHIFT, 1, SMALLEST)

  constructor() {
    this.blocks.grow(LISTS)
  }

  push(list: number, value: number): boolean {
    const { blocks, entries } = this
    const count = blocks.length.get(list)
    if (count === 2 ** SHIFT) return false
    if (blocks.isFull(list)) blocks.enlarge(list, (from, to, n) => this.move(from, to, n))
    const place = blocks.base.get(list) + count
    entries.open(place >>> SHIFT)[place & (2 ** SHIFT - 1)] = value
    blocks.length.set(list, count + 1)
    return true
  }

  private move(from: number, to: number, count: number): void {
    const all = this.read(from, count)
    const page = this.entries.open(to >>> SHIFT)
    for (const [i, value] of all.entries()) page[(to & (2 ** SHIFT - 1)) + i] = value
  }

  private read(place: number, count: number): number[] {
    const start = place & (2 ** SHIFT - 1)
    return [...this.entries.pages[place >>> SHIFT]!.subarray(start, start + count)]
  }

  list(list: number): number[] {
    const { base, length } = this.blocks
    return length.get(list) === 0 ? [] : this.read(base.get(list), length.get(list))
  }

  /** As a snapshot saves it, and a new task loads it. */
  restored(): Arena {
    const { entries, blocks } = this
    const made = new Arena()
    const pairs = [[entries, made.entries] as const]
    const into = made.blocks.arrays
    for (const [name, array] of Object.entries(blocks.arrays)) {
      pairs.push([array, into[name as keyof typeof into]])
    }
    for (const [from, to] of pairs) {
      from.freeze(true, (index, page) => {
        to.loadPage(index, new Uint8Array(page.slice().buffer))
        from.thaw(index)
      })
    }
    made.blocks.load(plainOf(plainText(blocks.save())))
    return made
  }
}

const list = fc.nat(LISTS - 1)
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('push' as const), list, count: fc.nat(20) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('forget' as const), list }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restore' as const) }) },
)

test('blocks hold what arrays would hold, and a restored arena goes on as the first one', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 250 }), (steps) => {
      const arena = new Arena()
      let other = new Arena()
      const model: number[][] = Array.from({ length: LISTS }, () => [])
      let value = 0
      for (const one of steps) {
        if (one.kind === 'restore') other = arena.restored()
        else if (one.kind === 'forget') {
          arena.blocks.forget(one.list)
          other.blocks.forget(one.list)
          model[one.list] = []
        } else {
          for (let i = 0; i < one.count; i++) {
            if (arena.push(one.list, ++value)) model[one.list]!.push(value)
            other.push(one.list, value)
          }
        }
      }
      for (const [i, known] of model.entries()) {
        assert.deepEqual(arena.list(i), known)
        assert.deepEqual(other.list(i), known)
        assert.equal(other.blocks.base.get(i), arena.blocks.base.get(i))
      }
      assert.deepEqual(other.blocks.save(), arena.blocks.save())
    }),
  )
})

test('what all lists have given back is one room again, whatever sizes it had', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(list, fc.nat(2 ** SHIFT)), { maxLength: 100 }), (grown) => {
      const arena = new Arena()
      for (const [list, count] of grown) {
        for (let i = 0; i < count; i++) arena.push(list, i)
      }
      for (let list = 0; list < LISTS; list++) arena.blocks.forget(list)
      const pages = arena.entries.pages.length
      for (let list = 0; list < pages && list < LISTS; list++) {
        for (let i = 0; i < 2 ** SHIFT; i++) arena.push(list, i)
      }
      // One more at most: a list that moves has two blocks at once.
      assert.ok(arena.entries.pages.length <= pages + 1)
    }),
  )
})

test('lists that outgrow their blocks one after the other leave hardly anything behind', () => {
  const arena = new Arena()
  for (let round = 0; round < 32; round++) {
    for (let list = 0; list < LISTS; list++) arena.push((7 * list) % LISTS, round)
  }
  // 40 lists of 32 are 20 pages of 64.
  assert.ok(arena.entries.pages.length <= 21, `${arena.entries.pages.length} pages`)
})
