import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { type Logger, pino } from 'pino'
import { opsErrors } from '../../src/ops/errors.ts'
import type { Readiness, StartRole } from '../../src/ops/role.ts'
import { runRole } from '../../src/ops/run-role.ts'
import { testConfig } from '../support/config.ts'
import { onFreePorts } from '../support/roles.ts'

/** A role on free ports, whose log is kept. */
async function running(t: TestContext, start: StartRole) {
  const config = await onFreePorts(testConfig())
  const stopping = new AbortController()
  t.after(() => stopping.abort())
  const lines: { level: string; msg: string }[] = []
  const write = (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[0])
  const logger: Logger = pino({ formatters: { level: (level) => ({ level }) } }, { write })
  const exitCode = runRole({ role: 'worker', config, logger, start, stopping: stopping.signal })
  const opsUrl = `http://127.0.0.1:${config.workerOpsPort}`
  return { config, stopping, lines, exitCode, opsUrl }
}

async function ready(opsUrl: string): Promise<{ status: number; body: Readiness }> {
  for (let attempt = 0; ; attempt++) {
    try {
      const response = await fetch(`${opsUrl}/ready`)
      return { status: response.status, body: (await response.json()) as Readiness }
    } catch (error) {
      if (attempt === 100) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

const WELL: Readiness = { ready: true, reasons: [] }

test('a role says that it is starting before it has started', async (t) => {
  const started = Promise.withResolvers<undefined>()
  const role = await running(t, async () => {
    await started.promise
    return { readiness: () => WELL, stop: () => Promise.resolve() }
  })
  const before = await ready(role.opsUrl)
  assert.equal(before.status, 503)
  assert.deepEqual(before.body.reasons, ['it is starting'])
  started.resolve(undefined)
  while ((await ready(role.opsUrl)).status !== 200);
  role.stopping.abort()
  assert.equal(await role.exitCode, 0)
})

test('a role that is asked to stop is stopped once, and its port is free again', async (t) => {
  let stops = 0
  const stop = () => {
    stops++
    return Promise.resolve()
  }
  const role = await running(t, () => Promise.resolve({ readiness: () => WELL, stop }))
  while ((await ready(role.opsUrl)).status !== 200);
  role.stopping.abort()
  assert.equal(await role.exitCode, 0)
  assert.equal(stops, 1)
  await assert.rejects(fetch(`${role.opsUrl}/health`))
})

test('a role that fails is reported, stopped, and ends with 1', async (t) => {
  let stops = 0
  const stop = () => {
    stops++
    return Promise.resolve()
  }
  const role = await running(t, (context) => {
    setTimeout(() => context.fail(new Error('the group is gone')), 50)
    return Promise.resolve({ readiness: () => WELL, stop })
  })
  assert.equal(await role.exitCode, 1)
  assert.equal(stops, 1)
  const fatal = role.lines.filter(({ level }) => level === 'fatal')
  assert.deepEqual(
    fatal.map(({ msg }) => msg),
    ['the worker fails: the group is gone'],
  )
})

test('a role that cannot start ends with 1 and says why', async (t) => {
  const role = await running(t, () => Promise.reject(new Error('no credentials')))
  assert.equal(await role.exitCode, 1)
  assert.match(role.lines.map(({ msg }) => msg).join('\n'), /the worker fails: no credentials/)
})

test('a role whose ops port is taken names it and its setting', async (t) => {
  const first = await running(t, () =>
    Promise.resolve({ readiness: () => WELL, stop: () => Promise.resolve() }),
  )
  await ready(first.opsUrl)
  const logger = pino({ level: 'silent' })
  let said = ''
  const second = await runRole({
    role: 'worker',
    config: first.config,
    logger: Object.assign(logger, { fatal: (_: unknown, text: string) => (said = text) }),
    start: () => Promise.reject(new Error('it must not come to this')),
    stopping: new AbortController().signal,
  })
  assert.equal(second, 1)
  const port = first.config.workerOpsPort
  const place = { role: 'worker', host: '127.0.0.1', port, setting: 'WORKER_OPS_PORT' }
  assert.equal(said, `the worker fails: ${opsErrors.portTaken(place).message}`)
  first.stopping.abort()
  assert.equal(await first.exitCode, 0)
})
