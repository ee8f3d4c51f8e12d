/**
 * `npm run check`: types, lint, format and style. All of them run, so that one look shows
 * everything. The paths named after it narrow lint and format down: `npm run check -- src/log`.
 */
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const cache = join(root, 'node_modules/.cache')
const paths = process.argv.length > 2 ? process.argv.slice(2) : ['.']
const colours = process.stdout.isTTY && process.env['NO_COLOR'] === undefined

/** @type {readonly { name: string, script: string, args: readonly string[] }[]} */
const CHECKS = [
  {
    name: 'types',
    script: 'typescript/bin/tsc',
    args: ['-p', '.', '--pretty', colours ? 'true' : 'false'],
  },
  {
    // The dashboard runs in a browser: other libraries, and JSX.
    name: 'web',
    script: 'typescript/bin/tsc',
    args: ['-p', 'src/web', '--pretty', colours ? 'true' : 'false'],
  },
  {
    name: 'lint',
    script: 'eslint/bin/eslint.js',
    args: [
      // No cache: what the typed rules say of a file changes with the files that it imports.
      ...['--max-warnings', '0', colours ? '--color' : '--no-color', ...paths],
    ],
  },
  {
    name: 'format',
    script: 'prettier/bin/prettier.cjs',
    args: [
      ...['--check', '--log-level', 'warn', '--ignore-unknown'],
      // Its cache has its own place: a prettier that runs without one looks there to remove it.
      ...['--cache', ...paths],
    ],
  },
  { name: 'style', script: '', args: ['--test', 'test/tidy.test.ts'] },
]

/**
 * @param {(typeof CHECKS)[number]} check
 * @returns {Promise<boolean>} Whether it found nothing.
 */
function perform({ name, script, args }) {
  const startedMs = performance.now()
  const program = script === '' ? [] : [join(root, 'node_modules', script)]
  const child = spawn(process.execPath, [...program, ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  /** @type {Buffer[]} */
  const output = []
  child.stdout.on('data', (/** @type {Buffer} */ chunk) => output.push(chunk))
  child.stderr.on('data', (/** @type {Buffer} */ chunk) => output.push(chunk))
  return new Promise((resolve) => {
    child.on('close', (code) => {
      const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
      // What went well has nothing to say but its time.
      if (code !== 0) process.stdout.write(Buffer.concat(output))
      process.stdout.write(
        `check: ${name.padEnd(6)} ${code === 0 ? 'ok' : 'FAILED'}, ${seconds} s\n`,
      )
      resolve(code === 0)
    })
  })
}

mkdirSync(cache, { recursive: true })
const waiting = [...CHECKS]
/** @type {boolean[]} */
const results = []
const workers = Array.from({ length: Math.min(2, availableParallelism()) }, async () => {
  for (let next = waiting.shift(); next; next = waiting.shift()) results.push(await perform(next))
})
await Promise.all(workers)
process.exitCode = results.every(Boolean) ? 0 : 1
