import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/**
 * Runs the command that set-up was for, with everything passed through: input, output, signals,
 * exit code.
 */

/**
 * A Ctrl-C reaches this process twice, from the terminal and from npm. Within this time the same
 * signal is the same wish; a person who insists takes longer.
 */
const SAME_SIGNAL_MS = 500

/** @type {readonly NodeJS.Signals[]} */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP']

/**
 * @param {string} node
 * @param {readonly string[]} args
 * @param {{ root: string, cwd: string, env: Readonly<Record<string, string>> }} options
 * @returns {Promise<number>} The exit code; where a signal ended the child, 128 and its number.
 */
export function launch(node, args, { root, cwd, env }) {
  const follow = pathToFileURL(join(root, 'infra/follow.js')).href
  // In a process group of its own the child gets no signal from the terminal, only ours: once.
  const child = spawn(node, ['--import', follow, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    detached: true,
  })
  /** @type {Map<NodeJS.Signals, number>} */
  const sentMs = new Map()
  /** @param {NodeJS.Signals} signal */
  const pass = (signal) => {
    const now = performance.now()
    if (now - (sentMs.get(signal) ?? -Infinity) < SAME_SIGNAL_MS) return
    sentMs.set(signal, now)
    // A terminal that has gone is a request to stop in order.
    child.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal)
  }
  for (const signal of SIGNALS) process.on(signal, pass)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      for (const each of SIGNALS) process.off(each, pass)
      resolve(code ?? 128 + signalNumber(signal))
    })
  })
}

/** @param {NodeJS.Signals | null} signal */
function signalNumber(signal) {
  return { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }[String(signal)] ?? 0
}
