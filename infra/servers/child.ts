import type { ChildProcess } from 'node:child_process'
import { removePidFile, signalGroup, waitGone, writePidFile } from './pid-file.ts'
import type { Command } from './server.ts'
import { howEnded, spawnToLog, spawned } from './spawn.ts'

/** A child process of ours, a server or a role, from its start to its end. */
export interface Child {
  readonly pid: number
  /** How it ended, in words; undefined while it runs. */
  readonly ended: string | undefined
  /** Asks it to end by a signal, and ends it by force after the limit. Resolves when it is gone. */
  end(signal: NodeJS.Signals, limitMs: number): Promise<void>
}

export interface ChildOptions {
  readonly command: Command
  readonly logFile: string
  readonly pidFile: string
  /** What it gets when this process dies without a word. */
  readonly signalOnOurDeath: NodeJS.Signals
  readonly env: NodeJS.ProcessEnv
  /** A channel to this process, whose closing tells a Node child that we are gone. */
  readonly ipc?: boolean
  readonly onEnd: (how: string) => void
}

/** @throws The system's error where the program cannot be started. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { command, logFile, pidFile, env, signalOnOurDeath, ipc = false } = options
  const child: ChildProcess = spawnToLog(command, logFile, { env, signalOnOurDeath, ipc })
  let ended: string | undefined
  const told = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
  })
  child.once('exit', (code, signal) => {
    ended = howEnded(code, signal)
    // A child that is gone may have left processes of its group behind.
    if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL')
    removePidFile(pidFile)
    options.onEnd(ended)
  })
  await spawned(child)
  const pid = child.pid!
  if (child.exitCode === null && child.signalCode === null) writePidFile(pidFile, pid)
  return {
    pid,
    get ended() {
      return ended
    },
    async end(signal, limitMs) {
      if (ended !== undefined) return
      child.kill(signal)
      let isGone = await waitGone(pid, limitMs)
      if (!isGone) {
        signalGroup(pid, 'SIGKILL')
        isGone = await waitGone(pid, limitMs)
      }
      // The kernel knows of the end a moment before this process is told.
      if (isGone) await told
    },
  }
}
