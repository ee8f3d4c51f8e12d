import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CompressionAlgorithms,
  type CompressionAlgorithmValue,
  createRecordsBatch,
  type CreateRecordsBatchOptions,
  type MessageRecord,
} from '@platformatic/kafka'
import fc from 'fast-check'
import { readRecordSet } from '../../src/log/record-set.ts'

// Goal: what an independent writer makes of records is read back exactly, compressed or not, cut or
// not, from any offset on.

const BASE_MILLIS = Date.UTC(2026, 10, 20)

interface Stored {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly (readonly [string, Buffer])[]
  readonly millis: number
}

const bytes = fc.uint8Array({ maxLength: 40 }).map((one) => Buffer.from(one))
const record: fc.Arbitrary<Stored> = fc.record(
  {
    key: fc.option(bytes),
    value: fc.option(bytes),
    headers: fc.array(fc.tuple(fc.constantFrom('a', 'b', 'ml-src'), bytes), { maxLength: 3 }),
    // The writer's differences of times have 32 bits: three weeks and a half.
    millis: fc.integer({ min: BASE_MILLIS, max: BASE_MILLIS + 2 ** 30 }),
  },
  { noNullPrototype: true },
)
const aBatch = fc.record(
  {
    records: fc.array(record, { minLength: 1, maxLength: 12 }),
    compression: fc.constantFrom(...Object.values(CompressionAlgorithms)),
  },
  { noNullPrototype: true },
)

function written(records: readonly Stored[], compression: CompressionAlgorithmValue): Buffer {
  const messages = records.map(({ key, value, headers, millis }) => ({
    topic: 't',
    timestamp: BigInt(millis),
    ...(key === null ? {} : { key }),
    ...(value === null ? {} : { value }),
    headers: new Map(headers.map(([name, one]) => [Buffer.from(name), one])),
  }))
  const options = { compression } as unknown as CreateRecordsBatchOptions
  return createRecordsBatch(messages as MessageRecord[], options).buffer
}

/** Batches one behind the other, as a partition has them. */
function aSet(batches: readonly { records: readonly Stored[]; compression: string }[]) {
  let offset = 0
  const parts = batches.map(({ records, compression }) => {
    const part = Buffer.from(written(records, compression as CompressionAlgorithmValue))
    part.writeBigInt64BE(BigInt(offset), 0)
    offset += records.length
    return part
  })
  return { bytes: Buffer.concat(parts), end: offset, last: parts.at(-1)!.length }
}

test('records are read as they were written, from any offset to any other', () => {
  const sets = fc.array(aBatch, { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(sets, fc.nat(40), fc.nat(40), (batches, from, length) => {
      const set = aSet(batches)
      const range = { topic: 't', partition: 3, from, to: from + length }
      const batch = readRecordSet(set.bytes, range)
      const all = batches.flatMap(({ records }) => records)
      const expected = all
        .map((one, offset) => ({ ...one, offset }))
        .filter(({ offset }) => offset >= from && offset < from + length)
      const slice = (start: number, end: number) =>
        start < 0 ? null : Buffer.from(batch.bytes.subarray(start, end))
      const found = Array.from({ length: batch.count }, (_, i) => ({
        key: slice(batch.keyStart[i]!, batch.keyEnd[i]!),
        value: slice(batch.valueStart[i]!, batch.valueEnd[i]!),
        millis: batch.appendMillis[i]!,
        offset: batch.offsets[i]!,
      }))
      assert.deepEqual(
        found,
        expected.map(({ key, value, millis, offset }) => ({ key, value, millis, offset })),
      )
      for (const [i, { headers }] of expected.entries()) {
        for (const name of ['a', 'b', 'ml-src', 'c']) {
          const last = headers.findLast(([one]) => one === name)?.[1]
          const read = batch.header(i, name)
          assert.deepEqual(read && Buffer.from(read), last)
        }
      }
      assert.equal(batch.nextOffset, Math.min(Math.max(from, set.end), from + length))
    }),
  )
})

test('a batch that is cut off is left for the next fetch', () => {
  fc.assert(
    fc.property(fc.array(aBatch, { minLength: 2, maxLength: 4 }), fc.nat(), (batches, cut) => {
      const { bytes: all, last, end } = aSet(batches)
      const cutBytes = all.subarray(0, all.length - 1 - (cut % (last - 1)))
      const whole = end - batches.at(-1)!.records.length
      const range = { topic: 't', partition: 0, from: 0, to: Infinity }
      const batch = readRecordSet(cutBytes, range)
      assert.deepEqual([batch.count, batch.nextOffset], [whole, whole])
    }),
  )
})
