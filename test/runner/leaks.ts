import { readFileSync, readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Finds what a test run left running. Every process of a run inherits a mark in its environment,
 * also one that was given a new parent or a group of its own.
 */

/** In the environment of every process of one run. */
export const RUN_MARK = 'METERLOOM_TEST_RUN'

export interface LeakedProcess {
  readonly pid: number
  readonly command: string
}

/**
 * The processes, but for this one, that bear the mark `run` or name `folder` in their command.
 * Waits up to `graceMs` for those that are just ending. Only Linux shows other processes'
 * environments: elsewhere none is found.
 */
export async function leakedProcesses(
  run: string,
  folder: string,
  graceMs = 3_000,
): Promise<readonly LeakedProcess[]> {
  const deadline = performance.now() + graceMs
  for (;;) {
    const left = marked(run, folder)
    if (left.length === 0 || performance.now() > deadline) return left
    await sleep(200)
  }
}

function marked(run: string, folder: string): LeakedProcess[] {
  const found: LeakedProcess[] = []
  for (const name of processNumbers()) {
    const pid = Number(name)
    if (pid === process.pid) continue
    const command = readZeroSeparated(`/proc/${name}/cmdline`)
    // A process that has ended and waits for its parent has an empty command.
    if (command.length === 0) continue
    const text = command.join(' ')
    const bearsMark = readZeroSeparated(`/proc/${name}/environ`).includes(`${RUN_MARK}=${run}`)
    if (bearsMark || text.includes(folder)) found.push({ pid, command: text })
  }
  return found
}

function processNumbers(): string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  } catch {
    return []
  }
}

/** Empty for a process that has ended or belongs to another user. */
function readZeroSeparated(file: string): string[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\0')
      .filter((part) => part !== '')
  } catch {
    return []
  }
}

export function endLeaked(processes: readonly LeakedProcess[]): void {
  for (const { pid } of processes) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended by itself meanwhile.
    }
  }
}
