import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * A pid file tells the next start of a leftover. It holds `pid startTicks`: pids are used again,
 * the pair of pid and start time is not.
 */

/** When a process was started, in the kernel's ticks since boot; undefined where there is none. */
function startTicksOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // Fields are counted from behind the name, which is in parentheses and may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [state] = fields
    return state === 'Z' || state === 'X' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

export function isAlive(pid: number): boolean {
  return startTicksOf(pid) !== undefined
}

export function writePidFile(file: string, pid: number): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${pid} ${startTicksOf(pid) ?? ''}\n`)
}

export function removePidFile(file: string): void {
  rmSync(file, { force: true })
}

/** The pid in the file where that very process still runs. */
export function readPidFile(file: string): number | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
  const [pidText = '', ticks = ''] = text.trim().split(' ')
  const pid = Number(pidText)
  if (!Number.isInteger(pid) || pid <= 1 || ticks === '') return undefined
  return startTicksOf(pid) === ticks ? pid : undefined
}

/** Waits until a process is gone; whether it is. */
export async function waitGone(pid: number, timeoutMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + timeoutMs
  while (isAlive(pid)) {
    if (performance.now() > deadlineMs) return false
    await sleep(20)
  }
  return true
}

/**
 * Ends the leftover that a pid file tells of: in order first, since it may hold data that it wants
 * to write, then by force.
 *
 * @returns Whether there was one.
 */
export async function endLeftover(
  file: string,
  signal: NodeJS.Signals,
  timeoutMs: number,
): Promise<boolean> {
  const pid = readPidFile(file)
  if (pid !== undefined) {
    signalGroup(pid, signal)
    if (!(await waitGone(pid, timeoutMs))) {
      signalGroup(pid, 'SIGKILL')
      await waitGone(pid, timeoutMs)
    }
  }
  removePidFile(file)
  return pid !== undefined
}

/** Signals a process that leads its group, and all of the group; false where nobody is left. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-pid, signal)
    return true
  } catch {
    return false
  }
}
