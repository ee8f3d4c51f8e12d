import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { columnOf, f64 } from '../../../src/engine/columns.ts'
import type { Page } from '../../../src/engine/state/pages.ts'
import { plainOf, plainText } from '../../../src/engine/state/plain.ts'

const SLOTS = 9_000

const step = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constant('set' as const),
      slot: fc.nat(SLOTS - 1),
      value: fc.double(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('freeze' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('copy-out' as const) }) },
)

test('what is frozen is kept as it was, whatever is written meanwhile', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const column = columnOf(f64(1, -1))
      column.grow(SLOTS)
      const model = new Float64Array(SLOTS).fill(-1)
      // Pages as a snapshot and the deltas after it have them.
      const saved = new Map<number, Page>()
      let frozen: { index: number; page: Page }[] = []
      let atFreeze = model.slice()
      const copyOut = () => {
        for (const { index, page } of frozen) {
          saved.set(index, page.slice())
          column.thaw(index)
        }
        frozen = []
      }
      for (const one of steps) {
        if (one.kind === 'set') {
          column.set(one.slot, one.value)
          model[one.slot] = one.value
        } else if (one.kind === 'freeze') {
          copyOut()
          column.freeze(false, (index, page) => frozen.push({ index, page }))
          atFreeze = model.slice()
        } else if (frozen.length > 0) {
          copyOut()
          const restored = columnOf(f64(1, -1))
          restored.grow(SLOTS)
          for (const [index, page] of saved) {
            restored.loadPage(index, new Uint8Array(page.buffer))
          }
          for (let slot = 0; slot < SLOTS; slot++) {
            assert.ok(Object.is(restored.get(slot), atFreeze[slot]))
          }
        }
      }
      for (let slot = 0; slot < SLOTS; slot++) assert.ok(Object.is(column.get(slot), model[slot]))
    }),
  )
})

test('a page whose snapshot came to nothing is told again', () => {
  const column = columnOf(f64())
  column.grow(1)
  column.set(0, 1)
  const told: number[] = []
  column.freeze(false, (index) => told.push(index))
  column.thaw(0)
  column.freeze(false, (index) => told.push(index))
  assert.deepEqual(told, [0], 'a clean page is not told')
  column.spoil(0)
  column.freeze(false, (index) => told.push(index))
  assert.deepEqual(told, [0, 0])
})

test('plain state comes back as it was, with numbers that JSON does not know', () => {
  const plain = { a: [NaN, Infinity, -Infinity, -0, 0, 1.5], b: '#NaN', c: '', d: null, e: true }
  assert.deepEqual(plainOf(plainText(plain)), plain)
})
