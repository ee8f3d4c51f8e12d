import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { WIRE_HEADER_BYTES, loadCodecs } from '../../src/schemas/codecs.ts'
import { ReadingCursor } from '../../src/schemas/reading-cursor.ts'
import { QUALITIES } from '../../src/schemas/records.ts'
import type { Reading } from '../../src/schemas/records.ts'
import { EXAMPLES, plain, readings } from './samples.ts'

const { reading: codec } = await loadCodecs()
const HEADER = Buffer.of(0, 0, 0, 0, 1)

/** What the cursor finds in [start, end); undefined where it says that the bytes are damaged. */
function walk(bytes: Buffer, start: number, end: number): Reading | undefined {
  const cursor = new ReadingCursor()
  if (!cursor.open(bytes, start, end)) return undefined
  const text = (from: number, to: number) => bytes.toString('utf8', from, to)
  const reading: Reading = {
    tenant: text(cursor.tenantStart, cursor.tenantEnd),
    meterId: text(cursor.meterStart, cursor.meterEnd),
    at: cursor.atMicros,
    seq: cursor.seq === -Infinity ? null : cursor.seq,
    measurements: [],
  }
  while (cursor.next()) {
    const channel = text(cursor.channelStart, cursor.channelEnd)
    const quality = QUALITIES[cursor.quality]!
    reading.measurements.push({ channel, value: cursor.value, quality })
  }
  return cursor.damaged ? undefined : reading
}

/** As avsc reads it; undefined where it throws. */
function decoded(body: Buffer): Reading | undefined {
  try {
    return plain(codec.decode(Buffer.concat([HEADER, body])))
  } catch {
    return undefined
  }
}

test('any reading is read as avsc reads it, wherever it lies in its buffer', () => {
  fc.assert(
    fc.property(readings, fc.nat(40), fc.nat(40), (any, before, after) => {
      const body = codec.encode(any).subarray(WIRE_HEADER_BYTES)
      const bytes = Buffer.concat([Buffer.alloc(before, 0xff), body, Buffer.alloc(after, 0xff)])
      const found = walk(bytes, before, before + body.length)
      assert.deepEqual(found, decoded(body))
      assert.notEqual(found, undefined)
    }),
    { numRuns: 500 },
  )
})

test('bytes that were changed are damaged, or mean the same as to avsc', () => {
  const change = fc.tuple(fc.nat(), fc.nat(255))
  let damaged = 0
  fc.assert(
    fc.property(readings, fc.array(change, { minLength: 1, maxLength: 3 }), (any, changes) => {
      const body = Buffer.from(codec.encode(any).subarray(WIRE_HEADER_BYTES))
      for (const [at, byte] of changes) body[at % body.length] = byte
      const found = walk(body, 0, body.length)
      if (found === undefined) damaged++
      else assert.deepEqual(found, decoded(body))
    }),
    { numRuns: 3_000 },
  )
  assert.ok(damaged > 100, `only ${damaged} of the changes did damage`)
})

test('a reading that was cut short is damaged, whatever lies behind the cut', () => {
  const body = codec.encode(EXAMPLES.reading).subarray(WIRE_HEADER_BYTES)
  const bytes = Buffer.concat([body, body])
  for (let end = 0; end < body.length; end++) {
    assert.equal(walk(bytes, 0, end), undefined, `cut at ${end}`)
  }
  assert.notEqual(walk(bytes, 0, body.length), undefined)
  assert.equal(walk(bytes, 0, body.length + 1), undefined, 'one byte too many')
  assert.equal(walk(body, 0, body.length + 1), undefined, 'a range beyond the buffer')
})

test('arrays in blocks with their sizes are read', () => {
  // -1 item of 11 bytes, then 1 item without its size, then the end.
  const item = (channel: string) => {
    const bytes = Buffer.alloc(11)
    bytes[0] = 2
    bytes.write(channel, 1)
    bytes.writeDoubleLE(1.25, 2)
    bytes[10] = 4
    return bytes
  }
  const head = Buffer.of(0, 0, 2, 0)
  const blocks = [Buffer.of(1, 22), item('a'), Buffer.of(2), item('b'), Buffer.of(0)]
  const body = Buffer.concat([head, ...blocks])
  const found = walk(body, 0, body.length)
  assert.deepEqual(found, decoded(body))
  assert.deepEqual(
    found?.measurements.map(({ channel }) => channel),
    ['a', 'b'],
  )
})

test('longs are exact up to the bound that avsc has, and damaged beyond', () => {
  const max = Number.MAX_SAFE_INTEGER - 1
  for (const at of [0, -1, 1, 2 ** 27, -(2 ** 27), 2 ** 28 - 1, -(2 ** 28), 2 ** 52, max, -max]) {
    const body = codec.encode({ ...EXAMPLES.reading, at }).subarray(WIRE_HEADER_BYTES)
    assert.equal(walk(body, 0, body.length)?.at, at)
  }
  for (const zigzag of ['feffffffffffff1f', 'ffffffffffffff1f', 'feffffffffffffffff01']) {
    const body = Buffer.concat([Buffer.of(0, 0), Buffer.from(zigzag, 'hex'), Buffer.of(0, 0)])
    assert.equal(walk(body, 0, body.length), undefined, zigzag)
    assert.equal(decoded(body), undefined, zigzag)
  }
})
