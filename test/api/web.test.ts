import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fastify } from 'fastify'
import { webRoutes } from '../../src/api/web.ts'

// How the dashboard's files are served; what they do in a browser is tested in test/web.

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'meterloom-web-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function makeBuild(t: TestContext): string {
  const folder = makeFolder(t)
  mkdirSync(join(folder, 'assets'))
  writeFileSync(join(folder, 'index.html'), '<title>Meterloom</title>')
  writeFileSync(join(folder, 'theme.js'), '// theme')
  writeFileSync(join(folder, 'favicon.svg'), '<svg/>')
  writeFileSync(join(folder, 'assets/main-abc.js'), 'export {}')
  writeFileSync(join(folder, '.stamp'), 'stamp')
  return folder
}

async function serve(t: TestContext, folder: string) {
  const app = fastify()
  await app.register(webRoutes, { folder })
  app.get('/api/meters', () => ({ items: [] }))
  t.after(() => app.close())
  return (url: string) => app.inject({ method: 'GET', url })
}

test('every address of a page gives the page, asked for anew each time', async (t) => {
  const get = await serve(t, makeBuild(t))
  for (const url of ['/', '/meters/sim-0001', '/meters/a.b?from=x', '/anomalies', '/nowhere']) {
    const response = await get(url)
    assert.equal(response.statusCode, 200, url)
    assert.equal(response.body, '<title>Meterloom</title>', url)
    assert.match(String(response.headers['content-type']), /^text\/html/)
    assert.equal(response.headers['cache-control'], 'no-cache')
  }
})

test('assets are kept for ever', async (t) => {
  const get = await serve(t, makeBuild(t))
  const asset = await get('/assets/main-abc.js')
  assert.equal(asset.statusCode, 200)
  assert.equal(asset.headers['cache-control'], 'public, max-age=31536000, immutable')
  assert.match(String(asset.headers['content-type']), /javascript/)
  const theme = await get('/theme.js')
  assert.equal(theme.headers['cache-control'], 'no-cache')
})

test('no script or style inside the page may run, and no other host is asked', async (t) => {
  const get = await serve(t, makeBuild(t))
  for (const url of ['/', '/assets/main-abc.js', '/favicon.svg']) {
    const { headers } = await get(url)
    const policy = String(headers['content-security-policy'])
    assert.match(policy, /default-src 'none'/)
    assert.match(policy, /script-src 'self'(;|$)/)
    assert.doesNotMatch(policy, /unsafe|http|\*/)
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['referrer-policy'], 'no-referrer')
  }
})

test("what is the api's stays the api's, and what is not there is no page", async (t) => {
  const get = await serve(t, makeBuild(t))
  assert.deepEqual((await get('/api/meters')).json(), { items: [] })
  for (const url of ['/api/nothing', '/assets/old-123.js', '/schemas/x']) {
    assert.equal((await get(url)).statusCode, 404, url)
  }
  assert.equal((await get('/assets/..%2F.stamp')).statusCode, 403)
})

test('a build that is missing is told in one sentence', async (t) => {
  const get = await serve(t, join(makeFolder(t), 'none'))
  const response = await get('/')
  assert.equal(response.statusCode, 503)
  assert.match(response.body, /^The dashboard is not built: run '.*', then load this again\.\n$/)
})
