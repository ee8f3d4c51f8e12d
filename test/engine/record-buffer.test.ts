import assert from 'node:assert/strict'
import test from 'node:test'
import { KeyTable } from '../../src/engine/keys.ts'
import { RecordBuffer } from '../../src/engine/record-buffer.ts'
import { asRecords, slicesOf } from '../../src/log/outgoing.ts'
import { decodePosition } from '../../src/log/position.ts'
import { SOURCE_HEADER } from '../../src/log/topics.ts'

const keys = new KeyTable()
const names = Array.from({ length: 7 }, (_, i) => `tenant/${'meter-'.repeat(i * i)}${i}`)
for (const name of names) keys.findOrAdd(Buffer.from(name), 0, name.length)

// From none to far more than there is room for at first.
const valueOf = (i: number) => `value ${i} ${'.'.repeat(i % 400)}`

function filled(buffer: RecordBuffer, count: number, from = 0): void {
  for (let i = from; i < from + count; i++) {
    buffer.begin(2, 3, 2 ** 33 + i, i % 5)
    buffer.key(keys, i % names.length)
    buffer.slab.put(Buffer.from(valueOf(i)))
    buffer.end()
  }
}

function read(records: Parameters<typeof asRecords>[0]) {
  return asRecords(records).map(({ key, value, headers }) => ({
    key: String(key),
    value: String(value),
    position: decodePosition(headers![SOURCE_HEADER]!),
  }))
}

const wanted = (i: number) => ({
  key: names[i % names.length],
  value: valueOf(i),
  position: { epoch: 2, partition: 3, offset: 2 ** 33 + i, index: i % 5 },
})

test('records come out as they went in, take after take', () => {
  const buffer = new RecordBuffer()
  let next = 0
  for (const count of [1, 3_000, 0, 700]) {
    filled(buffer, count, next)
    assert.equal(buffer.count, count)
    const taken = buffer.take()
    assert.equal(buffer.count, 0)
    // What is gathered next leaves what was taken as it is.
    filled(buffer, 900)
    buffer.take()
    assert.deepEqual(
      read(taken),
      Array.from({ length: count }, (_, i) => wanted(next + i)),
    )
    next += count
  }
})

test('a record that is begun and not ended is none', () => {
  const buffer = new RecordBuffer()
  filled(buffer, 2)
  buffer.begin(9, 9, 9, 9)
  buffer.key(keys, 6)
  buffer.slab.put(Buffer.from('half'))
  filled(buffer, 1, 2)
  assert.deepEqual(read(buffer.take()), [wanted(0), wanted(1), wanted(2)])
})

test('parts of a bounded count hold all, in order', () => {
  const buffer = new RecordBuffer()
  filled(buffer, 25)
  const batch = buffer.take()
  for (const records of [batch, asRecords(batch)]) {
    for (const countMax of [1, 7, 25, 26]) {
      const parts = slicesOf(records, countMax)
      assert.equal(parts.length, Math.ceil(25 / countMax))
      assert.deepEqual(parts.flatMap(read), read(batch))
    }
  }
  assert.deepEqual(slicesOf([], 5), [])
})
