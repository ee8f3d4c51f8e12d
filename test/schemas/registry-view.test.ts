import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fastify } from 'fastify'
import { RECORD_NAMES, SCHEMA_IDS } from '../../src/schemas/ids.ts'
import { schemaRoutes } from '../../src/schemas/registry-view.ts'
import { schemaText, subjectOf } from '../../src/schemas/texts.ts'

const app = fastify()
await app.register(schemaRoutes, { topicPrefix: 'staging-' })

async function get(url: string): Promise<{ status: number; body: unknown }> {
  const response = await app.inject({ url })
  const type = response.headers['content-type']
  assert.match(String(type), /^application\/vnd\.schemaregistry\.v1\+json/)
  return { status: response.statusCode, body: response.json() }
}

test('each id gives its schema', async () => {
  for (const name of RECORD_NAMES) {
    const { status, body } = await get(`/schemas/ids/${SCHEMA_IDS[name]}`)
    assert.equal(status, 200)
    const { schema } = body as { schema: string }
    assert.deepEqual(JSON.parse(schema), JSON.parse(schemaText(name)))
  }
})

test('the kinds of schemas are named', async () => {
  assert.deepEqual(await get('/schemas/types'), { status: 200, body: ['AVRO'] })
})

test('subjects bear the names of their topics, prefix included', async () => {
  const { body } = await get('/subjects')
  assert.deepEqual(body, RECORD_NAMES.map((name) => subjectOf(name, 'staging-')).sort())
  assert.ok(body.includes('staging-readings-value'))
})

test('a subject has its versions, and the latest of them', async () => {
  assert.deepEqual((await get('/subjects/staging-windows-value/versions')).body, [1])
  const first = await get('/subjects/staging-windows-value/versions/1')
  assert.deepEqual(first.body, {
    subject: 'staging-windows-value',
    version: 1,
    id: SCHEMA_IDS.window,
    schema: JSON.stringify(JSON.parse(schemaText('window'))),
  })
  assert.deepEqual(await get('/subjects/staging-windows-value/versions/latest'), first)
})

const missing: readonly [url: string, status: number, code: number, text: RegExp][] = [
  ['/schemas/ids/99', 404, 40403, /Schema 99 not found/],
  ['/schemas/ids/x', 404, 40403, /Schema x not found/],
  ['/subjects/none-value/versions', 404, 40401, /Subject 'none-value' not found/],
  ['/subjects/none-value/versions/1', 404, 40401, /Subject 'none-value' not found/],
  ['/subjects/staging-windows-value/versions/9', 404, 40402, /Version 9 of/],
  ['/subjects/staging-windows-value/versions/0', 422, 42202, /'0' is not a valid version/],
  ['/subjects/staging-windows-value/versions/newest', 422, 42202, /'newest' is not a valid/],
]
for (const [url, status, code, text] of missing) {
  test(`${url} is answered ${code}`, async () => {
    const found = await get(url)
    assert.equal(found.status, status)
    const { error_code: number, message } = found.body as { error_code: number; message: string }
    assert.equal(number, code)
    assert.match(message, text)
  })
}
