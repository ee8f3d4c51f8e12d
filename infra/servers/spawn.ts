import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { closeSync, existsSync } from 'node:fs'
import { openLog } from './log-file.ts'
import type { Command } from './server.ts'

/**
 * util-linux's setpriv, which Debian always has: runs a program with other rights, and has the kernel
 * signal it when its parent dies, even by kill -9.
 */
export const SETPRIV = ['/usr/bin/setpriv', '/bin/setpriv'].find((file) => existsSync(file))

/**
 * The command with the kernel's promise to signal it when this process dies. Where there is no setpriv,
 * a leftover is found by its pid file at the next start.
 */
export function dyingWithParent(command: Command, signal: NodeJS.Signals): Command {
  if (SETPRIV === undefined) return command
  const args = ['--pdeathsig', signal.replace('SIG', ''), '--', command.program, ...command.args]
  return { ...command, program: SETPRIV, args }
}

/**
 * Starts a child that leads a process group of its own: a terminal's Ctrl-C reaches only us, so that we
 * can end all in order. Its output goes to the end of a file.
 */
export function spawnToLog(
  command: Command,
  logFile: string,
  options: { env: NodeJS.ProcessEnv; ipc?: boolean },
): ChildProcess {
  const log = openLog(logFile)
  const stdio: StdioOptions = ['ignore', log, log]
  if (options.ipc) stdio.push('ipc')
  try {
    return spawn(command.program, command.args, {
      stdio,
      detached: true,
      env: { ...options.env, ...command.env },
      ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
    })
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
