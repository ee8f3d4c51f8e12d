import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { fastify } from 'fastify'
import { makeMetrics } from '../../src/ops/metrics.ts'
import { type OpsOptions, opsRoutes } from '../../src/ops/ops-routes.ts'
import type { Readiness } from '../../src/ops/role.ts'

async function anApp(t: TestContext, readiness: Readiness, scrapeToken?: string) {
  const metrics = makeMetrics(() => readiness)
  const options: OpsOptions = {
    role: 'worker',
    metrics,
    scrapeToken,
    readiness: () => readiness,
  }
  const app = fastify()
  t.after(() => app.close())
  await app.register(opsRoutes, options)
  return app
}

const WELL: Readiness = { ready: true, reasons: [] }
const ILL: Readiness = { ready: false, reasons: ['postgres: it does not answer'] }

test('/ready is 200 while the role is ready', async (t) => {
  const app = await anApp(t, WELL)
  const response = await app.inject('/ready')
  assert.equal(response.statusCode, 200)
  assert.deepEqual(response.json(), { role: 'worker', ready: true, reasons: [] })
})

test('/ready is 503 with its reasons while it is not, and /health is 200 still', async (t) => {
  const app = await anApp(t, ILL)
  const response = await app.inject('/ready')
  assert.equal(response.statusCode, 503)
  assert.deepEqual(response.json(), { role: 'worker', ...ILL })
  assert.equal((await app.inject('/health')).statusCode, 200)
})

test('/metrics is open without a token, and tells whether the role is ready', async (t) => {
  const well = await (await anApp(t, WELL)).inject('/metrics')
  assert.equal(well.statusCode, 200)
  assert.match(well.headers['content-type'] as string, /^text\/plain; version=0\.0\.4/)
  assert.match(well.body, /^meterloom_role_ready 1$/m)
  assert.match(well.body, /^process_resident_memory_bytes \d+/m)
  assert.match((await (await anApp(t, ILL)).inject('/metrics')).body, /^meterloom_role_ready 0$/m)
})

test('/metrics asks for the token where one is set', async (t) => {
  const app = await anApp(t, WELL, 'a long random string')
  const asked = async (authorization?: string) => {
    const headers = authorization === undefined ? {} : { authorization }
    return (await app.inject({ url: '/metrics', headers })).statusCode
  }
  assert.equal(await asked(), 401)
  assert.equal(await asked('Bearer '), 401)
  assert.equal(await asked('a long random string'), 401)
  assert.equal(await asked('Bearer a long random strinG'), 401)
  assert.equal(await asked('Bearer a long random string'), 200)
})
