import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { listeningApi } from './stage.ts'

interface Operation {
  readonly summary?: string
  readonly tags?: readonly string[]
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly responses: Readonly<Record<string, { readonly content?: Record<string, unknown> }>>
}

interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

const url = await listeningApi({ after })
const document = (await (await fetch(`${url}/api/docs/json`)).json()) as Document

test('the OpenAPI document tells of every route, its answers and its problems', () => {
  assert.equal(document.openapi, '3.1.0')
  const below = Object.entries(document.paths).filter(([path]) => path.startsWith('/api/'))
  const names = below.map(([path]) => path.slice('/api/'.length)).sort()
  const wanted = ['anomalies', 'baselines', 'meters', 'overview', 'pipeline', 'readings', 'windows']
  assert.deepEqual(names, wanted)
  for (const [path, { get: operation }] of below) {
    assert.ok(operation, path)
    const { summary, tags, responses } = operation
    assert.ok(summary !== undefined && summary.length > 10, path)
    assert.equal(tags?.length, 1, path)
    assert.ok('application/json' in (responses['200']?.content ?? {}), path)
    for (const status of ['400', '500', '503']) {
      const content = responses[status]?.content ?? {}
      assert.deepEqual(Object.keys(content), ['application/problem+json'], `${path} ${status}`)
    }
  }
})

test('lists are told to come as CSV too, and what they may be asked for', () => {
  for (const name of ['meters', 'readings', 'windows', 'baselines', 'anomalies']) {
    const operation = document.paths[`/api/${name}`]!['get']!
    assert.ok('text/csv' in operation.responses['200']!.content!, name)
    const parameters = operation.parameters!.map((parameter) => parameter.name)
    for (const wanted of ['limit', 'cursor', 'format', 'meterId']) {
      assert.ok(parameters.includes(wanted), `${name} tells of ${wanted}`)
    }
  }
})

test('every route that is no page has a summary and a tag', () => {
  const { paths } = document
  for (const path of ['/health', '/ready', '/metrics', '/subjects', '/schemas/ids/{id}']) {
    const { summary, tags } = paths[path]!['get']!
    assert.ok(summary, path)
    assert.equal(tags?.length, 1, path)
  }
})

test('its pages come from this server alone', async () => {
  const page = await fetch(`${url}/api/docs`)
  assert.equal(page.status, 200)
  const html = await page.text()
  const sources = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, source]) => source!)
  assert.ok(sources.length >= 4)
  for (const source of sources) {
    const asset = new URL(source, page.url)
    assert.equal(asset.origin, url)
    const response = await fetch(asset)
    assert.equal(response.status, 200, source)
    // Where the path is wrong the dashboard's page would come in its place.
    assert.doesNotMatch(response.headers.get('content-type')!, /html/, source)
    await response.arrayBuffer()
  }
})
