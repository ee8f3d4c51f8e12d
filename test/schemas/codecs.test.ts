import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hasCode } from '../../src/kernel/errors.ts'
import { loadCodecs, schemaIdOf } from '../../src/schemas/codecs.ts'
import { RECORD_NAMES, SCHEMA_IDS } from '../../src/schemas/ids.ts'
import type { Reading } from '../../src/schemas/records.ts'
import { EXAMPLES, plain, readings } from './samples.ts'

const codecs = await loadCodecs()
const reading: Reading = {
  tenant: 'demo',
  meterId: 'm-1',
  at: 1_763_424_000_000_000,
  seq: null,
  measurements: [{ channel: 'power_w', value: 1.5, quality: 'MEASURED' }],
}

for (const name of RECORD_NAMES) {
  test(`a ${name} comes back as it went in, under its fixed id`, () => {
    const codec = codecs[name] as { encode(record: object): Buffer; decode(bytes: Buffer): object }
    const bytes = codec.encode(EXAMPLES[name])
    assert.equal(bytes[0], 0)
    assert.equal(schemaIdOf(bytes), SCHEMA_IDS[name])
    assert.deepEqual(plain(codec.decode(bytes)), EXAMPLES[name])
  })
}

test('any reading comes back as it went in', () => {
  fc.assert(
    fc.property(readings, (any) => {
      assert.deepEqual(plain(codecs.reading.decode(codecs.reading.encode(any))), plain(any))
    }),
    { numRuns: 500 },
  )
})

test('a record that is larger than the scratch space is encoded whole', () => {
  const measurements = Array.from({ length: 20_000 }, (_, i) => ({
    channel: `channel_${i}`,
    value: i,
    quality: 'MEASURED' as const,
  }))
  const back = codecs.reading.decode(codecs.reading.encode({ ...reading, measurements }))
  assert.equal(back.measurements.length, 20_000)
  assert.equal(back.measurements.at(-1)?.channel, 'channel_19999')
})

test('what cannot be encoded is refused by field and value', () => {
  const refused = (record: unknown, field: string, value: string) =>
    assert.throws(
      () => codecs.reading.encode(record as Reading),
      (error) =>
        hasCode(error, 'schemas.cannotEncode') &&
        error.message === `reading: field ${field} cannot hold ${value}`,
    )
  refused({ ...reading, at: 2 ** 53 }, 'at', '9007199254740992')
  refused({ ...reading, seq: 1.5 }, 'seq', '1.5')
  refused({ ...reading, meterId: null }, 'meterId', 'null')
  const bad = [{ channel: 'power_w', value: 1, quality: 'FINE' }]
  refused({ ...reading, measurements: bad }, 'measurements.0.quality', "'FINE'")
})

test('what cannot be decoded is refused with its reason', () => {
  const whole = codecs.reading.encode(reading)
  const refused = (bytes: Buffer, code: string, text: string) =>
    assert.throws(
      () => codecs.reading.decode(bytes),
      (error) => hasCode(error, code) && error.message.includes(text),
    )
  refused(Buffer.alloc(0), 'schemas.notConfluent', '0 bytes')
  refused(Buffer.from('{"at":1}'), 'schemas.notConfluent', 'begin with 123')
  refused(Buffer.from([0, 0, 0, 0, 9, 1]), 'schemas.unknownId', 'schema id 9 is not known; use 1')
  refused(whole.subarray(0, -1), 'schemas.damaged', 'truncated')
  refused(Buffer.concat([whole, Buffer.of(0)]), 'schemas.damaged', 'trailing data')
})

test('a long beyond what is exact is refused by field and value', () => {
  // tenant '' and meterId '' are one byte each; then the largest long there is.
  const at = Buffer.from('feffffffffffffffff01', 'hex')
  const bytes = Buffer.concat([Buffer.of(0, 0, 0, 0, 1, 0, 0), at, Buffer.of(0, 0)])
  assert.throws(
    () => codecs.reading.decode(bytes),
    (error) =>
      hasCode(error, 'schemas.damaged') && error.message.includes('at = 9223372036854775807'),
  )
})

test('without a registry there is nothing to prepare: an unknown id stays unknown', async () => {
  await codecs.reading.prepare(77)
  assert.throws(
    () => codecs.reading.decode(Buffer.from([0, 0, 0, 0, 77, 0])),
    (error) => hasCode(error, 'schemas.unknownId'),
  )
})
