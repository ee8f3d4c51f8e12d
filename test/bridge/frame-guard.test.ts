import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FrameGuard } from '../../src/bridge/frame-guard.ts'
import { hasCode } from '../../src/kernel/errors.ts'

const BYTES_MAX = 1_000

/** `type | remaining length | body`, with the length in as few bytes as it needs. */
function frame(length: number): Buffer {
  const header = [0x30]
  let rest = length
  do {
    header.push((rest % 128) + (rest > 127 ? 128 : 0))
    rest = Math.floor(rest / 128)
  } while (rest > 0)
  // Bytes of a body look like lengths: nobody may take them for one.
  return Buffer.concat([Buffer.from(header), Buffer.alloc(length, 0xff)])
}

/** The bytes cut into pieces of the given sizes, again and again. */
function* cut(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let at = 0, i = 0; at < bytes.length; i += 1) {
    const size = sizes[i % sizes.length]!
    yield bytes.subarray(at, at + size)
    at += size
  }
}

const frames = fc.array(fc.integer({ min: 0, max: BYTES_MAX }), { minLength: 1, maxLength: 8 })
const pieces = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 5 })

test('frames up to the limit pass, however they are cut', () => {
  fc.assert(
    fc.property(frames, pieces, (lengths, sizes) => {
      const guard = new FrameGuard(BYTES_MAX)
      for (const chunk of cut(Buffer.concat(lengths.map(frame)), sizes)) {
        assert.equal(guard.take(chunk), undefined)
      }
      assert.equal(guard.partialBytes, 0, 'it ends where the last frame does')
    }),
  )
})

test('a frame above the limit is refused before its body comes', () => {
  const above = fc.integer({ min: BYTES_MAX + 1, max: 200_000_000 })
  fc.assert(
    fc.property(frames, above, pieces, (lengths, length, sizes) => {
      const guard = new FrameGuard(BYTES_MAX)
      const header = frame(0).subarray(0, 1)
      const bytes = Buffer.concat([...lengths.map(frame), header, lengthBytes(length)])
      const errors = [...cut(bytes, sizes)].map((chunk) => guard.take(chunk)).filter((e) => e)
      assert.equal(errors.length, 1)
      assert.ok(hasCode(errors[0], 'bridge.frameTooLong'))
      assert.deepEqual(errors[0].fields, { length, max: BYTES_MAX })
    }),
  )
})

function lengthBytes(length: number): Buffer {
  const bytes: number[] = []
  for (let rest = length; bytes.length === 0 || rest > 0; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) + (rest > 127 ? 128 : 0))
  }
  return Buffer.from(bytes)
}

test('a length of more than four bytes is no MQTT', () => {
  const guard = new FrameGuard(BYTES_MAX)
  const error = guard.take(Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x01]))
  assert.ok(hasCode(error, 'bridge.badFrame'))
})

test('it tells how much of a frame has come', () => {
  const guard = new FrameGuard(BYTES_MAX)
  guard.take(frame(500).subarray(0, 203))
  assert.equal(guard.partialBytes, 203)
})
