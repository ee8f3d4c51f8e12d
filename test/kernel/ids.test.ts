import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isName, meterKey, murmur2, partitionOf, revisionOf } from '../../src/kernel/ids.ts'
import { LIMITS } from '../../src/kernel/limits.ts'

test('murmur2 is that of org.apache.kafka.common.utils.Utils', () => {
  // The values of Kafka's own UtilsTest.testMurmur2.
  const known: readonly [text: string, hash: number][] = [
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ]
  for (const [text, hash] of known) assert.equal(murmur2(Buffer.from(text)), hash, text)
})

test('every key has a partition, and always the same', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.integer({ min: 1, max: 1_000 }), (key, count) => {
      const partition = partitionOf(key, count)
      assert.ok(Number.isInteger(partition) && partition >= 0 && partition < count)
      assert.equal(partitionOf(Buffer.from(key), count), partition)
    }),
  )
  // A negative hash: Java clears the sign, it does not take the absolute value.
  assert.equal(partitionOf(Buffer.from('21'), 12), (-973932308 & 0x7fffffff) % 12)
})

test('names are refused where MQTT, keys or people would trip over them', () => {
  for (const name of ['m-1', 'Zähler 7', 'a.b:c', 'x'.repeat(LIMITS.nameLengthMax)]) {
    assert.ok(isName(name), name)
  }
  const refused = ['', ' m', 'a/b', 'a+', '#', '$SYS', 'a\u0000', 'a\n', 'a\u007f']
  for (const name of [...refused, 'x'.repeat(LIMITS.nameLengthMax + 1)]) {
    assert.ok(!isName(name), JSON.stringify(name))
  }
})

test('a key is read back in one way only', () => {
  const name = fc.string().filter(isName)
  fc.assert(
    fc.property(name, name, (tenant, meterId) => {
      assert.deepEqual(meterKey(tenant, meterId).split('/'), [tenant, meterId])
    }),
  )
})

test('revisions grow with the offset and with the epoch, and stay exact', () => {
  const { epochMax, offsetMax } = LIMITS
  assert.ok(Number.isSafeInteger(revisionOf(epochMax, offsetMax)))
  assert.ok(revisionOf(1, 0) > revisionOf(0, offsetMax))
  const epoch = fc.integer({ min: 0, max: epochMax })
  const offset = fc.integer({ min: 0, max: offsetMax - 1 })
  fc.assert(
    fc.property(epoch, offset, (e, o) => {
      assert.equal(revisionOf(e, o + 1) - revisionOf(e, o), 1)
    }),
  )
})
