import assert from 'node:assert/strict'
import test from 'node:test'
import { columnOf, ColumnSet, f64, i32, u16, u8 } from '../../src/engine/columns.ts'

const SLOTS = 10_000

for (const declaration of [f64(3), i32(3), u16(3), u8(3)]) {
  test(`a column of ${declaration.type} keeps each slot's values over its pages`, () => {
    const column = columnOf(declaration)
    for (let slot = 0; slot < SLOTS; slot++) {
      column.grow(slot + 1)
      assert.equal(column.get(slot, 2), 0, 'a new slot holds 0')
      for (let i = 0; i < 3; i++) column.set(slot, (slot * 3 + i) % 251, i)
    }
    for (let slot = 0; slot < SLOTS; slot++) {
      for (let i = 0; i < 3; i++) assert.equal(column.get(slot, i), (slot * 3 + i) % 251)
    }
    const into = new Float64Array(3)
    assert.deepEqual([...column.copy(4_096, 3, into)], [240, 241, 242])
    column.fill(4_096, 9)
    assert.deepEqual([...column.copy(4_096, 3, into)], [9, 9, 9])
    assert.equal(column.get(4_095, 2), (4_095 * 3 + 2) % 251, 'its neighbours stay')
    assert.equal(column.get(4_097, 0), (4_097 * 3) % 251)
  })
}

test('a set grows all of its columns; what was never written takes no memory', () => {
  const set = new ColumnSet({ at: f64(1, NaN), ring: u8(4) })
  set.grow(4_097)
  assert.equal(set.bytes, 0)
  assert.ok(isNaN(set.columns.at.get(4_096)), 'a new slot holds the initial value')
  set.columns.at.set(4_096, NaN)
  assert.equal(set.bytes, 0)
  set.columns.ring.set(4_096, 255, 3)
  assert.equal(set.columns.ring.get(4_096, 3), 255)
  assert.equal(set.bytes, 2_048 * 4)
  set.forget(4_096)
  assert.equal(set.columns.ring.get(4_096, 3), 0)
})
