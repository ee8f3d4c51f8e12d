import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { hasCode } from '../../src/kernel/errors.ts'
import { RecordWriter } from '../../src/engine/record-writer.ts'
import { loadCodecs } from '../../src/schemas/codecs.ts'
import type { Codec } from '../../src/schemas/codecs.ts'

const codecs = await loadCodecs()

// What stands for each kind of field, with the edges of each varint length among the longs.
const text = fc.oneof(
  fc.string({ maxLength: 100 }),
  fc.string({ unit: 'grapheme', maxLength: 100 }),
  fc.string({ unit: 'binary', maxLength: 70 }),
)
const edge = fc
  .tuple(fc.nat(53), fc.integer({ min: -2, max: 2 }), fc.constantFrom(1, -1))
  .map(([bits, near, sign]) => sign * (2 ** bits + near))
  .filter((n) => Math.abs(n) < Number.MAX_SAFE_INTEGER)
const long = fc.oneof(edge, fc.integer())
const double = fc.double()
const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null })

const fields = {
  tenant: text,
  meterId: text,
  channel: text,
  width: text,
  start: long,
  end: long,
  count: long,
  expected: orNull(double),
  completeness: orNull(double),
  sum: orNull(double),
  min: orNull(double),
  max: orNull(double),
  mean: orNull(double),
  first: orNull(double),
  last: orNull(double),
  stddev: orNull(double),
  energyWh: orNull(double),
  estimated: fc.boolean(),
  revision: long,
}

// Without a prototype they would not be what topologies make.
const window = fc.record(fields, { noNullPrototype: true })

test('writes what the general codec writes, byte for byte', () => {
  const writer = RecordWriter.of(codecs.window)!
  fc.assert(
    fc.property(window, (record) => {
      assert.deepEqual(writer.encode(record), codecs.window.encode(record))
    }),
    { numRuns: 2_000 },
  )
})

// The one with a field of 32 bits.
const benchWindow = fc.record(
  {
    ...{ tenant: text, meterId: text, channel: text, start: long, end: long, count: long },
    ...{ sum: double, min: double, max: double, mean: double, first: double, last: double },
    ...{ baselineMedian: orNull(double), baselineMad: orNull(double), spike: fc.boolean() },
    consecutive: fc.oneof(fc.integer(), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1)),
  },
  { noNullPrototype: true },
)

test('a field of 32 bits is written as the general codec does, or refused as it does', () => {
  const codec = codecs['bench-window'] as Codec<unknown>
  const writer = RecordWriter.of(codec)!
  fc.assert(
    fc.property(benchWindow, (record) => {
      assert.deepEqual(writer.encode(record), codec.encode(record))
      for (const consecutive of [2 ** 31, -(2 ** 31) - 1, 0.5, NaN, null, '1']) {
        assert.throws(
          () => writer.encode({ ...record, consecutive }),
          (error) => hasCode(error, 'schemas.cannotEncode'),
        )
      }
    }),
  )
})

test('earlier records stay while later ones are written, over many slabs', () => {
  const writer = RecordWriter.of(codecs.window)!
  const records = fc.sample(window, 3_000)
  const written = records.map((record) => writer.encode(record))
  const longest = { ...records[0]!, tenant: 'x'.repeat(300_000) }
  assert.deepEqual(writer.encode(longest), codecs.window.encode(longest))
  for (const [i, record] of records.entries()) {
    assert.deepEqual(written[i], codecs.window.encode(record))
  }
})

test('what a record cannot hold is refused as by the codec, and the next one is right', () => {
  const writer = RecordWriter.of(codecs.window)!
  const record = fc.sample(window, 1)[0]!
  for (const wrong of [
    { start: 1.5 },
    { start: 2 ** 53 },
    { tenant: 7 },
    { estimated: null },
    { sum: 'much' },
  ]) {
    assert.throws(
      () => writer.encode({ ...record, ...wrong }),
      (error) => hasCode(error, 'schemas.cannotEncode'),
    )
    assert.deepEqual(writer.encode(record), codecs.window.encode(record))
  }
})

test('a record whose names come in another order is written all the same', () => {
  const writer = RecordWriter.of(codecs.window)!
  const record = fc.sample(window, 1)[0]!
  const turned = Object.fromEntries(Object.entries(record).reverse())
  assert.deepEqual(writer.encode(turned), codecs.window.encode(record))
})

test('records with fields that are not plain are left to the codec', () => {
  assert.equal(RecordWriter.of(codecs.reading as Codec<unknown>), undefined)
  assert.notEqual(RecordWriter.of(codecs.anomaly), undefined)
})
