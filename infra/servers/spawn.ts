import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { closeSync, existsSync } from 'node:fs'
import { openLog } from './log-file.ts'
import type { Command } from './server.ts'

/**
 * util-linux's setpriv, which Debian always has: runs a program with other rights, and has the
 * kernel signal it when its parent dies, even by kill -9.
 */
export const SETPRIV = ['/usr/bin/setpriv', '/bin/setpriv'].find((file) => existsSync(file))

/**
 * The program and arguments that run the command with its rights and, where `signalOnOurDeath` is
 * given, with the kernel's promise of that signal when this process dies. One setpriv does both, in
 * the only order that works: a change of user withdraws the promise. Where there is no setpriv,
 * what is left of a killed parent is found by its pid file at the next start.
 */
export function composed(
  { program, args, rights = [] }: Command,
  signalOnOurDeath?: NodeJS.Signals,
): [program: string, args: readonly string[]] {
  const promise =
    signalOnOurDeath === undefined ? [] : ['--pdeathsig', signalOnOurDeath.replace('SIG', '')]
  const options = [...rights, ...promise]
  if (SETPRIV === undefined || options.length === 0) return [program, args]
  return [SETPRIV, [...options, '--', program, ...args]]
}

/**
 * Starts a child that leads a process group of its own: a terminal's Ctrl-C reaches only us, so
 * that we can end all in order. Its output goes to the end of a file.
 */
export function spawnToLog(
  command: Command,
  logFile: string,
  options: { env: NodeJS.ProcessEnv; signalOnOurDeath: NodeJS.Signals; ipc: boolean },
): ChildProcess {
  const log = openLog(logFile)
  const stdio: StdioOptions = ['ignore', log, log]
  if (options.ipc) stdio.push('ipc')
  try {
    const [program, args] = composed(command, options.signalOnOurDeath)
    const env = { ...options.env, ...command.env }
    return spawn(program, args, { stdio, detached: true, env })
  } finally {
    closeSync(log)
  }
}

/** Resolves when the child is started; rejects with the system's error where it cannot be. */
export function spawned(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', reject)
  })
}

/** How a child ended, in words. */
export function howEnded(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `exit code ${code ?? 'unknown'}` : `killed by ${signal}`
}
