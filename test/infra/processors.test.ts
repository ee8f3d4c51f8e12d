import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { connectLog } from '../../src/log/connect.ts'
import { topicNames } from '../../src/log/topics.ts'
import { processorPort } from '../../src/ops/serve-ops.ts'
import { testConfig } from '../support/config.ts'
import { dropTables } from '../support/questdb.ts'
import { environmentOf, onFreePorts } from '../support/roles.ts'

const CLI = join(import.meta.dirname, '../../src/cli.ts')

/** How many partitions the processor on a port owns; undefined where none answers there. */
async function owned(port: number): Promise<number | undefined> {
  try {
    const signal = AbortSignal.timeout(2_000)
    const response = await fetch(`http://127.0.0.1:${port}/metrics`, { signal })
    const found = /^meterloom_engine_partitions(?:\{[^}]*\})? (\d+)/m.exec(await response.text())
    return found === null ? undefined : Number(found[1])
  } catch {
    return undefined
  }
}

/** Of the processes that a process has started, two at least. */
function environmentsOfChildren(pid: number): readonly ReadonlyMap<string, string>[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  assert.ok(children.length >= 2)
  return children.map((child) => {
    const lines = readFileSync(`/proc/${child}/environ`, 'utf8').split('\0')
    return new Map(lines.map((line) => line.split(/=(.*)/s, 2) as [string, string]))
  })
}

test('`processor --help` teaches how state is kept over a changed topology', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [CLI, 'processor', '--help'])
  for (const word of ['--backfill', 'BACKFILL=true', '--drop-state <node>', 'DROP_STATE=a,b']) {
    assert.ok(stdout.includes(word), stdout)
  }
  assert.match(stdout, /Snapshots need no\s+setting/)
})

test('`processor --instances 2` runs two that share the partitions, and ends both', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'meterloom-processors-'))
  const config = await onFreePorts(testConfig({ dataDir, partitions: 2 }))
  const ports = [processorPort(config, 0), processorPort(config, 1)] as const
  const state = ['--backfill', '--drop-state', 'spikes/spike', '--drop-state', 'old/node']
  const child = spawn(process.execPath, [CLI, 'processor', '--instances', '2', ...state], {
    env: { ...process.env, ...environmentOf(config) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  t.after(async () => {
    child.kill('SIGTERM')
    await ended
    const log = await connectLog(config)
    await log.deleteTopics(Object.values(topicNames(config.topicPrefix)) as string[])
    await log.close()
    await dropTables(config)
    await rm(dataDir, { recursive: true, force: true })
  })
  const deadlineMs = performance.now() + 60_000
  while (!said.includes(`their ops ports are ${ports.join(', ')}`)) {
    assert.ok(performance.now() < deadlineMs && child.exitCode === null, said)
    await sleep(100)
  }
  let shares: (number | undefined)[] = []
  while (shares.join() !== '1,1' && performance.now() < deadlineMs) {
    shares = await Promise.all(ports.map(owned))
    await sleep(100)
  }
  assert.deepEqual(shares, [1, 1])
  for (const told of environmentsOfChildren(child.pid!)) {
    assert.equal(told.get('BACKFILL'), 'true')
    assert.equal(told.get('DROP_STATE'), 'spikes/spike,old/node')
  }
  child.kill('SIGTERM')
  assert.equal(await ended, 0, said)
  assert.deepEqual(await Promise.all(ports.map(owned)), [undefined, undefined])
})
