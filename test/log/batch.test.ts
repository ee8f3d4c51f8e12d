import assert from 'node:assert/strict'
import { test } from 'node:test'
import { joined, toBatch } from '../../src/log/batch.ts'
import { recordsOf } from '../contract/log-support.ts'

type Pair = readonly [key: Buffer | null, value: Buffer | null]

function batch(pairs: readonly Pair[], first = 0) {
  const records = pairs.map(([key, value], i) => ({ key, value, name: `header ${first + i}` }))
  return toBatch(records, {
    topic: 't',
    partition: 3,
    nextOffset: first + pairs.length,
    offsets: Float64Array.from(pairs, (_, i) => first + i),
    appendMillis: Float64Array.from(pairs, () => 7),
    headerOf: ({ name }, wanted) => (wanted === 'h' ? Buffer.from(name) : undefined),
  })
}

const textsOf = (made: ReturnType<typeof batch>) =>
  recordsOf(made).map(({ key, value }) => [key, value])

test('slices of one buffer are not copied', () => {
  const response = Buffer.from(new ArrayBuffer(8))
  response.write('-k1v1v2-')
  const pairs: Pair[] = [
    [response.subarray(1, 3), response.subarray(3, 5)],
    [null, response.subarray(5, 7)],
    [response.subarray(0, 0), null],
  ]
  const made = batch(pairs)
  assert.equal(made.bytes.buffer, response.buffer)
  assert.deepEqual(textsOf(made), [
    ['k1', 'v1'],
    [null, 'v2'],
    ['', null],
  ])
  response.write('X', 3)
  assert.equal(recordsOf(made)[0]!.value, 'X1', 'the same memory')
})

test('slices of several buffers are put into one', () => {
  const alone = (text: string) => Buffer.from(new Uint8Array(Buffer.from(text)).buffer)
  const pairs: Pair[] = [
    [alone('k1'), alone('v1')],
    [null, alone('')],
    [alone('k3'), null],
  ]
  const made = batch(pairs)
  assert.deepEqual(textsOf(made), [
    ['k1', 'v1'],
    [null, ''],
    ['k3', null],
  ])
  assert.equal(made.bytes.length, 6)
})

test('a batch without bytes is one too', () => {
  assert.deepEqual(textsOf(batch([[null, null]])), [[null, null]])
  assert.equal(batch([]).count, 0)
})

test('the last records of several batches become one batch', () => {
  const value = (text: string): Pair => [null, Buffer.from(text)]
  const batches = [batch([value('a'), value('b')]), batch([value('c')], 10)]
  const made = joined('t', 3, batches, { count: 2, nextOffset: 20 })
  assert.deepEqual(
    recordsOf(made).map((record) => [record.offset, record.value]),
    [
      [1, 'b'],
      [10, 'c'],
    ],
  )
  assert.equal(made.nextOffset, 20)
  assert.equal(made.header(1, 'h')?.toString(), 'header 10')
  assert.equal(made.header(1, 'none'), undefined)
  assert.equal(joined('t', 3, batches, { count: 0, nextOffset: 20 }).count, 0)
})
