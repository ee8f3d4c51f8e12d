import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
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

test('`processor --instances 2` runs two that share the partitions, and ends both', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'meterloom-processors-'))
  const config = await onFreePorts(testConfig({ dataDir, partitions: 2 }))
  const ports = [processorPort(config, 0), processorPort(config, 1)] as const
  const child = spawn(process.execPath, [CLI, 'processor', '--instances', '2'], {
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
  child.kill('SIGTERM')
  assert.equal(await ended, 0, said)
  assert.deepEqual(await Promise.all(ports.map(owned)), [undefined, undefined])
})
