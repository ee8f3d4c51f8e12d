import { spawn } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { SetupError } from './error.js'

/** How other programs are found and run: nothing of theirs is shown unless they fail. */

const TAIL_LINES = 12

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd]
 * @property {Readonly<Record<string, string | undefined>>} [env] Added to the environment.
 * @property {(line: string) => void} [onLine] Each line of output as it comes.
 *
 * @typedef {{ code: number, tail: string[] }} Ran
 */

/**
 * Runs a program without input and waits for its end.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<Ran>} The exit code (127 where it cannot be started) and the last lines of its
 *   output.
 */
export function run(program, args, { cwd, env, onLine } = {}) {
  return new Promise((resolve) => {
    /** @type {string[]} */
    const tail = []
    const child = spawn(program, args, {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const take = byLines((line) => {
      tail.push(line)
      if (tail.length > TAIL_LINES) tail.shift()
      onLine?.(line)
    })
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.on('error', (error) => {
      resolve({ code: 127, tail: [error.message] })
    })
    child.on('close', (code) => {
      resolve({ code: code ?? 1, tail })
    })
  })
}

/** @param {(line: string) => void} onLine */
function byLines(onLine) {
  let rest = ''
  /** @param {Buffer} chunk */
  return (chunk) => {
    const lines = (rest + chunk.toString('utf8')).split(/\r?\n/)
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.trim() !== '') onLine(line)
  }
}

/**
 * As `run`, for what must succeed.
 *
 * @param {string} what The sentence where it fails, such as 'npm ci failed'.
 * @param {string} remedy
 * @param {[program: string, args: readonly string[], options?: RunOptions]} command
 */
export async function mustRun(what, remedy, [program, args, options]) {
  const { code, tail } = await run(program, args, options)
  if (code !== 0) throw new SetupError(`${what} (exit code ${code})`, remedy, tail)
}

/**
 * The first executable file called `name` on `path`.
 *
 * @param {string} name
 * @param {string | undefined} [path]
 */
export function onPath(name, path = process.env['PATH']) {
  for (const folder of (path ?? '').split(delimiter)) {
    const file = join(folder === '' ? '.' : folder, name)
    if (isExecutable(file)) return file
  }
  return undefined
}

/** @param {string} file */
export function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
