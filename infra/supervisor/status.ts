import { createHash } from 'node:crypto'
import { mkdirSync, realpathSync } from 'node:fs'
import { type Server, createConnection, createServer } from 'node:net'
import { LIMITS } from '../../src/kernel/limits.ts'
import { supervisorErrors } from './errors.ts'

/**
 * A socket that is both the lock of a data folder and the door where `meterloom status` asks. It
 * has a name in the kernel instead of a file: only one process can have it, and it is gone with its
 * process, however that ended, so that there is nothing stale to judge.
 */
export type ProcessState =
  /** Not ready for the first time yet. */
  | 'starting'
  | 'ready'
  /** It runs, and says itself that it is not ready. */
  | 'unready'
  /** It has ended, and is started again after its back-off. */
  | 'restarting'
  | 'stopping'
  | 'stopped'
  /** It has done what it was started for. */
  | 'done'
  /** It has ended too often, and is not started again. */
  | 'failed'

export interface ProcessStatus {
  readonly role: string
  /** null while it does not run. */
  readonly pid: number | null
  /** null where it has none. */
  readonly port: number | null
  readonly state: ProcessState
  /** Since the start of the supervisor. */
  readonly restarts: number
}

export interface Status {
  /** The supervisor's own process. */
  readonly pid: number
  readonly processes: readonly ProcessStatus[]
}

function socketName(dataDir: string): string {
  mkdirSync(dataDir, { recursive: true })
  const hash = createHash('sha256').update(realpathSync(dataDir)).digest('hex')
  return `\0meterloom-${hash.slice(0, 32)}`
}

/**
 * Makes this process the only supervisor of the folder, and answers whoever asks for the status.
 *
 * @throws supervisor.alreadyRunning
 */
export async function claimDataDir(
  dataDir: string,
  status: () => Promise<Status>,
): Promise<{ release(): Promise<void> }> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined)
    void status().then(
      (answer) => socket.end(JSON.stringify(answer)),
      () => socket.destroy(),
    )
  })
  const name = socketName(dataDir)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(name, resolve)
    })
  } catch (error) {
    const pid = (await askStatus(dataDir))?.pid
    throw supervisorErrors.alreadyRunning({ dataDir, pid }, error)
  }
  return {
    release: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
      }),
  }
}

/** The status of the supervisor on this folder; undefined where none runs. */
export function askStatus(dataDir: string): Promise<Status | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    const socket = createConnection(socketName(dataDir))
    socket.setTimeout(2 * LIMITS.probeTimeoutMs, () => socket.destroy())
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', () => resolve(undefined))
    socket.on('close', () => {
      const text = Buffer.concat(chunks).toString('utf8')
      resolve(text === '' ? undefined : (JSON.parse(text) as Status))
    })
  })
}

/** For people: one line a process, in columns. */
export function statusTable({ processes }: Status): readonly string[] {
  const rows = processes.map((p) => [
    p.role,
    String(p.pid ?? '-'),
    String(p.port ?? '-'),
    p.state,
    String(p.restarts),
  ])
  const all = [['role', 'pid', 'port', 'state', 'restarts'], ...rows]
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)))
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  )
}
