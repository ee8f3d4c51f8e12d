import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { cliErrors } from '../../src/cli/errors.ts'
import { type Register, cliConfig, print } from '../../src/cli/io.ts'
import { runCli } from '../../src/cli/run.ts'
import { register as status } from '../../src/cli/status.ts'

/** Runs a command as the terminal would, and keeps what it writes. */
async function ran(argv: readonly string[], commands: readonly Register[], env = {}) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const never = new AbortController().signal
  const code = await runCli(argv, commands, {
    env,
    stdout,
    stderr,
    terminal: false,
    interrupted: never,
    hurried: never,
    setExitCode: () => undefined,
  })
  const text = (stream: PassThrough) => String(stream.read() ?? '')
  return { code, stdout: text(stdout), stderr: text(stderr) }
}

const answers: Register = (program, io) => {
  program
    .command('answer')
    .option('--code <n>')
    .action((options: { code?: string }) => {
      if (options.code === 'x') {
        throw cliErrors.badArgument({ option: '--code', value: 'x', wants: 'a whole number' })
      }
      print(io, `the api is on ${cliConfig(io).apiPort}`)
      io.setExitCode(Number(options.code ?? 0))
    })
}

test('a command answers on stdout, and its exit code is passed on', async () => {
  const done = await ran(['answer'], [answers], { API_PORT: '20299' })
  assert.deepEqual(done, { code: 0, stdout: 'the api is on 20299\n', stderr: '' })
  assert.equal((await ran(['answer', '--code', '1'], [answers])).code, 1)
})

test('wrong usage, arguments and settings end with 2 and say what is wrong', async () => {
  const unknown = await ran(['anser'], [answers])
  assert.equal(unknown.code, 2)
  assert.match(unknown.stderr, /unknown command 'anser'[^]*Did you mean answer/)
  const argument = await ran(['answer', '--code', 'x'], [answers])
  assert.equal(argument.code, 2)
  assert.match(argument.stderr, /--code is 'x', but must be a whole number/)
  const setting = await ran(['answer'], [answers], { API_PORT: 'eighty' })
  assert.equal(setting.code, 2)
  assert.match(setting.stderr, /API_PORT is 'eighty', but must be a whole number from 1 to 65535/)
})

test('without a command the help is shown', async () => {
  const help = await ran([], [answers, status])
  assert.equal(help.code, 0)
  assert.match(help.stdout, /Usage: meterloom[^]*answer[^]*status/)
})

test('status where nothing runs says so, and ends with 1', async (t: TestContext) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'meterloom-status-'))
  t.after(() => rmSync(dataDir, { recursive: true }))
  const nothing = await ran(['status', '--json'], [status], { METERLOOM_DATA: dataDir })
  assert.equal(nothing.code, 1)
  assert.deepEqual(JSON.parse(nothing.stdout), { processes: [] })
  assert.match(nothing.stderr, new RegExp(`not running on ${dataDir}`))
})
