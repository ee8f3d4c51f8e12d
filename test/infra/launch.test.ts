import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { isAlive } from '../../infra/setup/stamp.js'
import { makeSandbox } from './sandbox.ts'

// What stands between npm and the command: signals come once, the exit code is passed on, and
// nothing outlives it.

const ROOT = dirname(dirname(import.meta.dirname))
const LAUNCH = pathToFileURL(join(ROOT, 'infra/setup/launch.js')).href

/** Runs `script` behind `launch`, as `infra/run.js` does. */
function launched(t: TestContext, script: string) {
  const { folder, write } = makeSandbox(t)
  const target = write('target.mjs', script)
  const options = JSON.stringify({ root: ROOT, cwd: folder, env: { GIVEN: 'yes' } })
  const runner = write(
    'runner.mjs',
    `import { launch } from ${JSON.stringify(LAUNCH)}
    process.exitCode = await launch(process.execPath, [${JSON.stringify(target)}], ${options})`,
  )
  const child = spawn(process.execPath, [runner], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  return { child, folder }
}

async function exitCodeOf(child: ChildProcess): Promise<unknown> {
  const [code] = (await once(child, 'close')) as [unknown]
  return code
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !condition(); i++) await sleep(25)
  assert.ok(condition())
}

const COUNT_SIGNALS = `
  import fs from 'node:fs'
  process.on('SIGINT', () => fs.appendFileSync('signals', 'SIGINT '))
  process.on('SIGTERM', () => { fs.appendFileSync('signals', 'SIGTERM '); process.exit(5) })
  fs.writeFileSync('started', String(process.pid))
  setInterval(() => undefined, 1000)`

test("the exit code is the command's, and its environment holds what set-up gives", async (t) => {
  const { child } = launched(t, `process.exit(process.env.GIVEN === 'yes' ? 42 : 1)`)
  assert.equal(await exitCodeOf(child), 42)
})

test('a command that a signal ends gives 128 and its number', async (t) => {
  const { child } = launched(t, `process.kill(process.pid, 'SIGKILL')`)
  assert.equal(await exitCodeOf(child), 137)
})

test('a command that has finished is not held up', async (t) => {
  const { child } = launched(t, `console.log(process.execArgv.length)`)
  const said: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => said.push(chunk))
  assert.equal(await exitCodeOf(child), 0)
  // What it starts itself must not be bound to the channel that only it has.
  assert.equal(Buffer.concat(said).toString(), '0\n')
})

test('a signal that comes from the terminal and from npm reaches the command once', async (t) => {
  const { child, folder } = launched(t, COUNT_SIGNALS)
  await until(() => existsSync(join(folder, 'started')))
  child.kill('SIGINT')
  await sleep(30)
  child.kill('SIGINT')
  await until(() => existsSync(join(folder, 'signals')))
  await sleep(600)
  child.kill('SIGTERM')
  assert.equal(await exitCodeOf(child), 5)
  assert.equal(readFileSync(join(folder, 'signals'), 'utf8'), 'SIGINT SIGTERM ')
})

test('a command whose launcher is killed is asked to stop', async (t) => {
  const { child, folder } = launched(t, COUNT_SIGNALS)
  const started = join(folder, 'started')
  await until(() => existsSync(started) && readFileSync(started, 'utf8') !== '')
  const pid = Number(readFileSync(started, 'utf8'))
  child.kill('SIGKILL')
  await until(() => !isAlive(pid))
  assert.equal(readFileSync(join(folder, 'signals'), 'utf8'), 'SIGTERM ')
})
