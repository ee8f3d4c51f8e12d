import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SenderBufferV2, type SenderOptions } from '@questdb/nodejs-client'
import fc from 'fast-check'
import type { RowBatch } from '../../src/engine/sink.ts'
import { TABLES } from '../../src/schemas/tables.ts'
import { IlpEncoder } from '../../src/sinks/ilp-encoder.ts'
import { batchOf } from './support.ts'

function encode(batch: RowBatch): Buffer {
  const encoder = new IlpEncoder(batch.spec, batch.spec.table)
  encoder.append(
    batch,
    Uint32Array.from({ length: batch.count }, (_, i) => i),
    0,
    batch.count,
  )
  return Buffer.from(encoder.encoded())
}

/** The same rows by QuestDB's own client, which is slow and right. */
function encodeByClient({ spec, count, columns }: RowBatch): Buffer {
  const options: Partial<SenderOptions> = { init_buf_size: 1024 * 1024, log: () => undefined }
  const buffer = new SenderBufferV2(options as SenderOptions)
  for (let row = 0; row < count; row++) {
    buffer.table(spec.table)
    for (const [i, { name, type }] of spec.columns.entries()) {
      const text = columns[i]![row]
      if (type === 'symbol' && text !== undefined) buffer.symbol(name, text)
    }
    for (const [i, { name, type }] of spec.columns.entries()) {
      const value = columns[i]![row] as number
      if (i === 0 || type === 'symbol' || Number.isNaN(value)) continue
      if (type === 'double') buffer.floatColumn(name, value)
      else if (type === 'boolean') buffer.booleanColumn(name, value !== 0)
      else buffer.intColumn(name, value)
    }
    buffer.at(columns[0]![row] as number, 'us')
  }
  return count === 0 ? Buffer.alloc(0) : buffer.toBufferNew()
}

const name = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1 }),
  fc.string({ unit: fc.constantFrom(' ', ',', '=', '\\', '"', '\n', '\r', 'a', 'é', '😀') }),
)
const long = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(0, 9, 10, 999_999_999, 1e9, 2 ** 53 - 1))
const row = fc.record(
  {
    ts: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    tenant: name,
    meter_id: name,
    channel: name,
    width: name,
    count: long,
    sum: fc.double({ noNaN: true }),
    energy_wh: fc.double({ noNaN: true }),
    estimated: fc.boolean(),
    revision: long,
  },
  { requiredKeys: ['ts', 'tenant'] },
)

test('rows are, byte for byte, what the official client would send', () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 20 }), (rows) => {
      const batch = batchOf(TABLES.windows, rows)
      assert.deepEqual(encode(batch), encodeByClient(batch))
    }),
    { numRuns: 300 },
  )
})

test('a buffer that must grow many times holds every row', () => {
  const rows = Array.from({ length: 5_000 }, (_, i) => ({
    ts: i,
    tenant: 'x'.repeat(i % 300),
    value: i / 3,
  }))
  const batch = batchOf(TABLES.readings, rows)
  assert.deepEqual(encode(batch), encodeByClient(batch))
})

test('a time or a long that is no exact whole number is refused by name', () => {
  for (const [column, value] of [
    ['ts', NaN],
    ['ts', 2 ** 53],
    ['seq', 0.5],
    ['seq', Infinity],
  ] as const) {
    const batch = batchOf(TABLES.readings, [{ ts: 1, tenant: 't', [column]: value }])
    assert.throws(() => encode(batch), {
      code: 'sinks.badValue',
      fields: {
        table: 'readings',
        column,
        value: String(value),
        wants: 'a whole number below 2^53',
      },
    })
  }
})
