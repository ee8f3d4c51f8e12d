import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noCounts } from '../../../src/engine/counts.ts'
import { plainOf, plainText } from '../../../src/engine/state/plain.ts'
import type { TableDeclaration } from '../../../src/engine/tables/nodes.ts'
import { TableView } from '../../../src/engine/tables/table-view.ts'

const KEYS = 1_000
const declaration: TableDeclaration = {
  ...{ topic: 'limits', mode: 'from-now', fields: { highW: 'number' } },
}
const record = (i: number, highW: number) => {
  return { offset: i, key: `key-${i % KEYS}`, value: JSON.stringify({ highW }) }
}
const view = () => new TableView(declaration, noCounts())

test('a table is saved as it was, piece by piece, while it goes on', () => {
  const one = view()
  const [first, second] = [0, KEYS].map((from) =>
    Array.from({ length: KEYS }, (_, i) => record(from + i, from + i)),
  )
  one.advance({ between: () => first! }, KEYS, 1)
  const pieces = one.pieces()
  one.advance({ between: () => second! }, 2 * KEYS, 2)

  const restored = view()
  let count = 0
  for (const piece of pieces) {
    count++
    restored.loadPiece(plainOf(plainText(piece)))
  }
  assert.ok(count > 10, 'each piece is short work')
  assert.equal(restored.offset, KEYS)
  assert.equal(restored.bytes, one.bytes)
  for (let i = 0; i < KEYS; i++) {
    assert.deepEqual(restored.find(`key-${i}`, 0), { highW: i })
    assert.equal(restored.revisionOf(`key-${i}`), 1)
    assert.deepEqual(one.find(`key-${i}`, 0), { highW: KEYS + i })
  }
})

test('a table that holds nothing remembers how far it has come', () => {
  const one = view()
  one.advance({ between: () => [] }, 5, 1)
  const restored = view()
  for (const piece of one.pieces()) restored.loadPiece(piece)
  assert.equal(restored.offset, 5)
})
