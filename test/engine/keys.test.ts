import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { KeyTable } from '../../src/engine/keys.ts'

test('finds each key again, in the slot that it got first', () => {
  const keys = fc.array(fc.string({ unit: 'grapheme', maxLength: 40 }), { maxLength: 300 })
  fc.assert(
    fc.property(keys, (texts) => {
      const table = new KeyTable(4)
      const model = new Map<string, number>()
      for (const text of texts) {
        // The key lies in the midst of other bytes, as it does in a batch.
        const bytes = Buffer.from(`<${text}>`)
        const known = model.get(text)
        assert.equal(table.find(bytes, 1, bytes.length - 1), known ?? -1)
        const slot = table.findOrAdd(bytes, 1, bytes.length - 1)
        assert.equal(slot, known ?? model.size)
        model.set(text, slot)
      }
      assert.equal(table.size, model.size)
      for (const [text, slot] of model) assert.equal(table.keyOf(slot), text)
    }),
  )
})

test('tells keys apart that are prefixes of one another, and holds a hundred thousand', () => {
  const table = new KeyTable()
  for (let i = 0; i < 100_000; i++) {
    const bytes = Buffer.from(`tenant-${i % 7}/meter-${i}`)
    assert.equal(table.findOrAdd(bytes, 0, bytes.length), i)
  }
  const bytes = Buffer.from('tenant-3/meter-99991')
  assert.equal(table.find(bytes, 0, bytes.length), 99_991)
  assert.equal(table.find(bytes, 0, bytes.length - 1), 9_999)
  assert.equal(table.find(bytes, 1, bytes.length), -1)
})
