import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Reader, jsCRC32C, readRecordsBatch } from '@platformatic/kafka'
import fc from 'fast-check'
import { recordBytes } from '../../../src/log/outgoing.ts'
import { BatchWriter } from '../../../src/log/produce/batch-writer.ts'
import { readRecordSet } from '../../../src/log/record-set.ts'

// Short and long, so that lengths take one byte, two and three.
const bytes = fc
  .oneof(fc.nat(40), fc.nat(200), fc.constantFrom(63, 64, 8_191, 8_192, 20_000))
  .map((length) => Buffer.from(Uint8Array.from({ length }, (_, i) => i)))
const name = fc.oneof(fc.constantFrom('ml-src', 'a', 'ü', '电'), fc.string({ maxLength: 90 }))
const record = fc.record(
  {
    key: fc.option(bytes),
    value: fc.option(bytes),
    headers: fc.dictionary(name, bytes, { maxKeys: 3, noNullPrototype: true }),
  },
  { noNullPrototype: true },
)
const records = fc.oneof(
  fc.array(record, { minLength: 1, maxLength: 20 }),
  // Enough that offsets take two bytes, and the buffer grows.
  fc.array(record, { minLength: 70, maxLength: 150 }),
)
const signature = fc.record(
  {
    producerId: fc.bigInt({ min: 0n, max: 2n ** 40n }),
    producerEpoch: fc.nat(2 ** 15 - 1),
    sequence: fc.nat(2 ** 31 - 1),
  },
  { noNullPrototype: true },
)
const millis = fc.integer({ min: 0, max: 2 ** 43 })

test('a batch is read as it was written, by us and by another client', () => {
  const writer = new BatchWriter()
  const property = fc.property(records, signature, millis, (written, signed, at) => {
    writer.clear()
    for (const one of written) writer.add(one.key, one.value, one.headers, recordBytes(one))
    const batch = writer.sign(signed, at)

    const theirs = readRecordsBatch(Reader.from(batch))
    assert.equal(theirs.crc, jsCRC32C(batch.subarray(21)))
    assert.equal(theirs.length, batch.length - 12)
    assert.equal(theirs.magic, 2)
    assert.equal(theirs.attributes, 0)
    assert.equal(theirs.lastOffsetDelta, written.length - 1)
    assert.deepEqual([theirs.firstTimestamp, theirs.maxTimestamp], [BigInt(at), BigInt(at)])
    const { producerId, producerEpoch, firstSequence: sequence } = theirs
    assert.deepEqual({ producerId, producerEpoch, sequence }, signed)
    assert.deepEqual(
      theirs.records.map(({ key, value, headers, offsetDelta }) => ({
        ...{ key, value, offsetDelta },
        headers: headers.map(([header, content]) => [header!.toString(), content]),
      })),
      written.map(({ key, value, headers }, offsetDelta) => ({
        ...{ key, value, offsetDelta },
        headers: Object.entries(headers),
      })),
    )

    const ours = readRecordSet(batch, { topic: 't', partition: 0, from: 0, to: Infinity })
    assert.equal(ours.count, written.length)
    const slice = (start: number, end: number) =>
      start < 0 ? null : Buffer.from(ours.bytes.subarray(start, end))
    for (const [i, { key, value, headers }] of written.entries()) {
      assert.deepEqual(slice(ours.keyStart[i]!, ours.keyEnd[i]!), key)
      assert.deepEqual(slice(ours.valueStart[i]!, ours.valueEnd[i]!), value)
      for (const [header, content] of Object.entries(headers)) {
        assert.deepEqual(Buffer.from(ours.header(i, header)!), content)
      }
    }
  })
  fc.assert(property, { numRuns: 40 })
})

test('a batch that is signed again differs in its signature alone', () => {
  const writer = new BatchWriter()
  writer.add(Buffer.from('k'), Buffer.from('v'), undefined, 100)
  const first = Buffer.from(writer.sign({ producerId: 7n, producerEpoch: 0, sequence: 5 }, 1_000))
  const again = writer.sign({ producerId: 8n, producerEpoch: 0, sequence: 0 }, 1_000)
  const read = (batch: Buffer) => {
    const { crc, producerId, firstSequence, ...rest } = readRecordsBatch(Reader.from(batch))
    assert.equal(crc, jsCRC32C(batch.subarray(21)))
    return { rest, signed: [producerId, firstSequence] }
  }
  assert.deepEqual(read(first).signed, [7n, 5])
  assert.deepEqual(read(again).signed, [8n, 0])
  assert.deepEqual(read(again).rest, read(first).rest)
})
