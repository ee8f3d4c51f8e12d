import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type TestContext } from 'node:test'
import { peersOf } from '../../src/api/ready-of-all.ts'
import { startApi } from '../../src/roles/api.ts'
import { testConfig } from '../support/config.ts'
import { liveStage } from '../support/live-stage.ts'
import { onFreePorts, startRoleInProcess } from '../support/roles.ts'

interface Ready {
  readonly ready: boolean
  readonly reasons: readonly string[]
}

/** A role that answers /ready with what it is told to. @returns Its URL. */
async function aRole(t: TestContext, status: number, answer: unknown): Promise<string> {
  const server = createServer((_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/ready`
}

async function readyOf(t: TestContext, readyUrls: string[]) {
  const stage = await liveStage(t, { readyUrls })
  const response = await fetch(`${await stage.api()}/ready`)
  return { status: response.status, ...((await response.json()) as Ready) }
}

test('/ready is 200 when every role that it asks is', async (t) => {
  const well = await aRole(t, 200, { ready: true, reasons: [] })
  const { status, ready, reasons } = await readyOf(t, [well, well])
  assert.deepEqual({ status, ready, reasons }, { status: 200, ready: true, reasons: [] })
})

test('/ready is 503 with the reasons of who is not ready, by name', async (t) => {
  const well = await aRole(t, 200, { ready: true, reasons: [] })
  const reasons = ['kafka: it does not answer', 'questdb: table windows is suspended']
  const ill = await aRole(t, 503, { ready: false, reasons })
  const mute = await aRole(t, 500, 'no object')
  const answer = await readyOf(t, [well, ill, mute])
  assert.equal(answer.status, 503)
  assert.equal(answer.ready, false)
  assert.deepEqual(answer.reasons, [
    ...reasons.map((reason) => `${new URL(ill).host}: ${reason}`),
    `${new URL(mute).host}: HTTP status 500`,
  ])
})

test('a role that does not answer is named with its address', async (t) => {
  const { status, reasons } = await readyOf(t, [])
  assert.equal(status, 503)
  assert.equal(reasons.length, 3)
  assert.match(reasons[0]!, /^bridge: http:\/\/127\.0\.0\.1:\d+\/ready does not answer/)
})

test('an api whose feed has no topics to follow says so', async (t) => {
  const config = await onFreePorts(testConfig())
  await startRoleInProcess(t, 'api', startApi, config)
  const response = await fetch(`http://127.0.0.1:${config.apiPort}/ready`)
  const { reasons } = (await response.json()) as Ready
  assert.match(reasons[0]!, /^api: the live feed/)
})

test('the api serves the schemas that its readers decode with', async (t) => {
  const config = await onFreePorts(testConfig())
  await startRoleInProcess(t, 'api', startApi, config)
  const response = await fetch(`http://127.0.0.1:${config.apiPort}/schemas/ids/1`)
  const { schema } = (await response.json()) as { schema: string }
  assert.equal((JSON.parse(schema) as { name: string }).name, 'Reading')
})

test('an api whose port is taken names it and its setting', async (t) => {
  const config = await onFreePorts(testConfig())
  await startRoleInProcess(t, 'api', startApi, config)
  await assert.rejects(startRoleInProcess(t, 'api', startApi, config), {
    code: 'ops.portTaken',
    message: new RegExp(`port ${config.apiPort} on 127.0.0.1.*set API_PORT`),
  })
})

test('roles that listen on all interfaces are asked on loopback', () => {
  const config = { ...testConfig(), opsBindAddress: '0.0.0.0', bridgeOpsPort: 9464 }
  assert.equal(peersOf(config)[0]?.url, 'http://127.0.0.1:9464/ready')
})
