import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { isAlive } from '../../infra/servers/pid-file.ts'
import type { ProcessStatus, Status } from '../../infra/supervisor/status.ts'
import { connectLog } from '../../src/log/connect.ts'
import { topicNames } from '../../src/log/topics.ts'
import { processorPort } from '../../src/ops/serve-ops.ts'
import { testConfig } from '../support/config.ts'
import { testDatabase } from '../support/database.ts'
import { dropTables } from '../support/questdb.ts'
import { environmentOf, onFreePorts } from '../support/roles.ts'

// `meterloom start` with PROCESSOR_INSTANCES=2 on the servers of the run. The tests stand in their
// order: each goes on with what the one before has left.

const CLI = join(import.meta.dirname, '../../src/cli.ts')
const dataDir = await mkdtemp(join(tmpdir(), 'meterloom-two-'))
const given = { dataDir, partitions: 2, processorInstances: 2 }
const databaseUrl = await testDatabase({ after })
const config = await onFreePorts(testConfig({ ...given, databaseUrl }))
const env = { ...process.env, ...environmentOf(config) }
const ports = [processorPort(config, 0), processorPort(config, 1)]

const child = spawn(process.execPath, [CLI, 'start', '--no-sample'], {
  env,
  stdio: ['ignore', 'pipe', 'pipe'],
})
const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
let said = ''
for (const stream of [child.stdout, child.stderr]) {
  stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
}

after(async () => {
  child.kill('SIGKILL')
  await ended
  const log = await connectLog(config)
  await log.deleteTopics(Object.values(topicNames(config.topicPrefix)) as string[])
  await log.close()
  await dropTables(config)
  await rm(dataDir, { recursive: true, force: true })
})

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 90_000
  while (!(await holds())) {
    assert.ok(performance.now() < deadlineMs && child.exitCode === null, `not ${what}:\n${said}`)
    await sleep(200)
  }
}

/** What `meterloom status` says of the processors. */
async function processors(): Promise<readonly ProcessStatus[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [CLI, 'status', '--json'], { env })
  const { processes } = JSON.parse(stdout) as Status
  return processes.filter(({ role }) => role.startsWith('processor'))
}

/** How many partitions each of them owns. */
function shares(): Promise<readonly number[]> {
  return Promise.all(
    ports.map(async (port) => {
      const answer = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined)
      const found = /^meterloom_engine_partitions (\d+)/m.exec((await answer?.text()) ?? '')
      return Number(found?.[1] ?? -1)
    }),
  )
}

before(() => until('ready', () => said.includes('meterloom is ready')))

test('both run, share the partitions, and are named by `meterloom status`', async () => {
  await until('shared', async () => (await shares()).join() === '1,1')
  const named = (await processors()).map(({ role, port, state }) => ({ role, port, state }))
  assert.deepEqual(named, [
    { role: 'processor', port: ports[0], state: 'ready' },
    { role: 'processor-2', port: ports[1], state: 'ready' },
  ])
  const { stdout } = await promisify(execFile)(process.execPath, [CLI, 'status'], { env })
  assert.match(stdout, /^processor .*\bready\b.*$/m)
  assert.match(stdout, /^processor-2 .*\bready\b.*$/m)
})

test('one that is killed comes back, and has a share again; the other goes on', async () => {
  const [first, second] = await processors()
  process.kill(second!.pid!, 'SIGKILL')
  await until('restarted', async () => {
    const now = (await processors())[1]!
    return now.state === 'ready' && now.restarts === 1 && now.pid !== second!.pid
  })
  await until('shared again', async () => (await shares()).join() === '1,1')
  const [still] = await processors()
  assert.deepEqual([still!.pid, still!.restarts], [first!.pid, 0])
  assert.match(said, /processor-2 died \(killed by SIGKILL\).*processor-2\.log/)
})

test('SIGTERM ends all, and leaves none', async () => {
  const pids = (await processors()).map(({ pid }) => pid!)
  child.kill('SIGTERM')
  assert.equal(await ended, 0, said)
  assert.deepEqual(pids.filter(isAlive), [])
  assert.deepEqual(await shares(), [-1, -1])
})
