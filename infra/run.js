/**
 * `node infra/run.js COMMAND [ARGS]`: brings the machine to where the command can run, then runs it
 * with the right Node. Plain JavaScript without dependencies, since it runs before there are any.
 *
 *   start [ARGS]     meterloom start
 *   cli ARGS         meterloom ARGS
 *   test [ARGS]      every test, or the files and folders named
 *   faults [ARGS]    the fault tests in full
 *   sabotage [ARGS]  mistakes made on purpose, which the checks have to find
 *   simulation ARGS  the engine's simulation: test/simulation/run.ts
 *   check            types, lint, format, style
 *   bench NAME ...   test/bench/NAME.ts
 *   setup            set-up for all of these, and nothing else
 */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { launch } from './setup/launch.js'
import { SETUP_EXIT_CODE, SetupError } from './setup/error.js'
import { needsOf, setUp } from './setup/setup.js'
import { NODE_FOR_SETUP, isAtLeast } from './setup/versions.js'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/**
 * The script that carries a command out, and its arguments.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {{ script: string, args: readonly string[] } | undefined} undefined: there is no such
 *   command.
 */
function scriptOf(command, args) {
  if (command === 'start') return { script: 'src/cli.ts', args: ['start', ...args] }
  if (command === 'cli') return { script: 'src/cli.ts', args }
  if (command === 'test') return { script: 'test/run.ts', args }
  if (command === 'faults') return { script: 'test/faults/main.ts', args }
  if (command === 'sabotage') return { script: 'test/sabotage/main.ts', args }
  if (command === 'simulation') return { script: 'test/simulation/run.ts', args }
  if (command === 'check') return { script: 'infra/check.js', args }
  const [name = '', ...rest] = args
  const script = `test/bench/${name}.ts`
  if (command === 'bench' && existsSync(join(root, script))) return { script, args: rest }
  return undefined
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {Promise<number>} The exit code.
 */
async function main(command, args) {
  if (!isAtLeast(process.version, NODE_FOR_SETUP)) {
    throw new SetupError(
      `this is Node ${process.version}, and set-up needs ${NODE_FOR_SETUP} or newer`,
      "Install a newer Node (on Debian 13: 'apt-get install nodejs npm'), then start again.",
    )
  }
  if (root.split('/').includes('node_modules')) {
    throw new SetupError(
      `Node does not run TypeScript sources below node_modules, and meterloom lies in ${root}`,
      "Keep a checkout elsewhere, and run 'npm install -g .' in it.",
    )
  }
  if (command === 'setup') {
    await setUp(root, { servers: true, dashboard: true, tests: true })
    return 0
  }
  const target = scriptOf(command, args)
  if (!target) {
    process.stderr.write(`there is no '${[command, ...args].join(' ')}': see infra/run.js\n`)
    return 2
  }
  const { node, env } = await setUp(root, needsOf(command, args, process.env))
  return launch(node, [join(root, target.script), ...target.args], {
    root,
    env,
    cwd: command === 'cli' || command === 'start' ? standingIn() : root,
  })
}

/**
 * Where the person stands: npm moves to the checkout first, and files are named from where one
 * stands.
 */
function standingIn() {
  const before =
    process.env['npm_lifecycle_event'] === undefined ? undefined : process.env['INIT_CWD']
  return before !== undefined && existsSync(before) ? before : process.cwd()
}

// npm takes an empty HOME for a folder called '~', and makes it; without one all find the right
// one.
if (process.env['HOME'] === '') delete process.env['HOME']

const [command = 'cli', ...args] = process.argv.slice(2)
try {
  process.exitCode = await main(command, args)
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  process.stderr.write(`${error.render()}\n`)
  process.exitCode = SETUP_EXIT_CODE
}
