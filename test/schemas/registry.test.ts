import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import avsc from 'avsc'
import { hasCode } from '../../src/kernel/errors.ts'
import { loadCodecs, schemaIdOf } from '../../src/schemas/codecs.ts'
import { RECORD_NAMES } from '../../src/schemas/ids.ts'
import { schemaText, subjectOf } from '../../src/schemas/texts.ts'
import { startRegistry } from './registry-server.ts'
import { EXAMPLES, plain } from './samples.ts'

async function registry(t: TestContext) {
  const server = await startRegistry()
  t.after(() => server.close())
  return server
}

/** A value in the wire format, as a foreign writer with its own schema makes it. */
function foreign(id: number, schema: object, record: object): Buffer {
  const header = Buffer.alloc(5)
  header.writeInt32BE(id, 1)
  const type = avsc.Type.forSchema(schema as avsc.Schema)
  return Buffer.concat([header, type.toBuffer(record)])
}

test('each schema is registered under its subject, and its id is written', async (t) => {
  const server = await registry(t)
  const codecs = await loadCodecs({ registryUrl: server.url, topicPrefix: 'staging-' })
  for (const name of RECORD_NAMES) {
    assert.deepEqual(server.subjects.get(subjectOf(name, 'staging-')), [schemaText(name)])
  }
  const bytes = codecs.window.encode(EXAMPLES.window)
  assert.equal(schemaIdOf(bytes), codecs.window.id)
  assert.ok(codecs.window.id >= 100)
  assert.deepEqual(plain(codecs.window.decode(bytes)), EXAMPLES.window)

  const again = await loadCodecs({ registryUrl: server.url, topicPrefix: 'staging-' })
  assert.equal(again.window.id, codecs.window.id, 'a second process finds the same id')
})

test('a record of another schema is read once its id was fetched', async (t) => {
  const server = await registry(t)
  const codecs = await loadCodecs({ registryUrl: server.url })
  // A writer of before `seq` and quality, with its fields in another order and one of its own.
  const measurement = {
    type: 'record',
    name: 'Measurement',
    fields: [
      { name: 'value', type: 'double' },
      { name: 'channel', type: 'string' },
    ],
  }
  const schema = {
    type: 'record',
    name: 'Reading',
    namespace: 'meterloom',
    fields: [
      { name: 'site', type: 'string' },
      { name: 'meterId', type: 'string' },
      { name: 'tenant', type: 'string' },
      { name: 'at', type: { type: 'long', logicalType: 'timestamp-micros' } },
      { name: 'measurements', type: { type: 'array', items: measurement } },
    ],
  }
  const id = server.add(JSON.stringify(schema))
  const bytes = foreign(id, schema, {
    site: 'x',
    meterId: 'm',
    tenant: 't',
    at: 5,
    measurements: [{ value: 1, channel: 'c' }],
  })
  assert.throws(
    () => codecs.reading.decode(bytes),
    (error) => hasCode(error, 'schemas.unknownId'),
  )
  await codecs.reading.prepare(id)
  await codecs.reading.prepare(id)
  const fetched = server.requests.filter((request) => request === `GET /schemas/ids/${id}`)
  assert.equal(fetched.length, 1, 'what is known is not fetched again')
  assert.deepEqual(plain(codecs.reading.decode(bytes)), {
    tenant: 't',
    meterId: 'm',
    at: 5,
    seq: null,
    measurements: [{ channel: 'c', value: 1, quality: 'MEASURED' }],
  })
})

test('a schema that cannot be read with ours is refused by its id', async (t) => {
  const server = await registry(t)
  const codecs = await loadCodecs({ registryUrl: server.url })
  const fields = [{ name: 'tenant', type: 'string' }]
  const id = server.add(
    JSON.stringify({ type: 'record', name: 'Reading', namespace: 'meterloom', fields }),
  )
  await assert.rejects(
    codecs.reading.prepare(id),
    (error) => hasCode(error, 'schemas.incompatible') && error.message.includes(`schema id ${id}`),
  )
})

test('a registry that refuses, or is away, is named', async (t) => {
  const server = await registry(t)
  const codecs = await loadCodecs({ registryUrl: server.url })
  await assert.rejects(
    codecs.reading.prepare(999),
    (error) => hasCode(error, 'schemas.registry') && /ids\/999 answers 404/.test(error.message),
  )
  await server.close()
  await assert.rejects(
    loadCodecs({ registryUrl: server.url }),
    (error) => hasCode(error, 'schemas.registry') && error.message.includes(server.url),
  )
})

test('the login of the address is sent, and never shown', async (t) => {
  const server = await registry(t)
  const registryUrl = server.url.replace('http://', 'http://user:p%40ss@')
  const codecs = await loadCodecs({ registryUrl })
  const login = Buffer.from('user:p@ss').toString('base64')
  assert.ok(server.requests.every((request) => request.endsWith(`Basic ${login}`)))
  await assert.rejects(codecs.reading.prepare(999), (error: Error) => {
    return !error.message.includes('ss@') && error.message.includes('127.0.0.1')
  })
})
