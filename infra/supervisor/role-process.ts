import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LIMITS } from '../../src/kernel/limits.ts'
import { type Child, startChild } from '../servers/child.ts'
import { serverErrors } from '../servers/errors.ts'
import { rotateLog } from '../servers/log-file.ts'
import { endLeftover } from '../servers/pid-file.ts'
import { childFiles, endedEarly } from '../servers/server-process.ts'
import type { PortClaim, Service } from '../servers/server.ts'

const SOURCES = join(import.meta.dirname, '../../src')

export interface RoleProcessOptions {
  readonly name: string
  readonly dataDir: string
  /** The script below `src/`, and its arguments. */
  readonly script: string
  readonly args: readonly string[]
  readonly heapMb: number
  readonly env: NodeJS.ProcessEnv
  readonly claims: readonly PortClaim[]
  /**
   * Where it says that it is ready. undefined: it counts as ready when it runs, and as done when it
   * ends with exit code 0.
   */
  readonly readyUrl: string | undefined
}

/** Whether it answers with 2xx within the limit for a probe. */
export async function answersOk(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(LIMITS.probeTimeoutMs) })
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false
  }
}

/** A role, or another of our own scripts, as a child of this process. */
export class RoleProcess implements Service {
  readonly name: string
  readonly claims: readonly PortClaim[]
  readonly logFile: string
  readonly #options: RoleProcessOptions
  readonly #pidFile: string
  readonly #deathListeners: ((how: string) => void)[] = []
  readonly #doneListeners: (() => void)[] = []
  #child: Child | undefined
  #startedBefore = false
  #ready = false
  #stopping = false

  constructor(options: RoleProcessOptions) {
    const { logFile, pidFile } = childFiles(options.dataDir, options.name)
    this.name = options.name
    this.claims = options.claims
    this.logFile = logFile
    this.#options = options
    this.#pidFile = pidFile
  }

  get port(): number {
    return this.claims[0]?.port ?? 0
  }

  get pid(): number | undefined {
    return this.#child?.ended === undefined ? this.#child?.pid : undefined
  }

  endLeftover(): Promise<boolean> {
    return endLeftover(this.#pidFile, 'SIGTERM', LIMITS.roleStopMs)
  }

  /** Whether it says that it is ready, asked now. */
  async isReady(): Promise<boolean> {
    const { readyUrl } = this.#options
    return readyUrl === undefined ? this.#ready : answersOk(readyUrl)
  }

  async start(): Promise<void> {
    this.#stopping = false
    await this.endLeftover()
    // What it said before it died is still wanted after its restart.
    if (!this.#startedBefore) rotateLog(this.logFile)
    this.#startedBefore = true
    // stop() may have come meanwhile, and found nothing to stop.
    if (this.#isStopping()) throw serverErrors.stopped({ server: this.name })
    const child = await this.#launch()
    this.#child = child
    // How long it waits for its servers is the role's own affair: it says why at /ready.
    while (this.#options.readyUrl !== undefined && !(await this.isReady())) {
      if (child.ended !== undefined) throw endedEarly(this.name, child.ended, this.logFile)
      await sleep(LIMITS.probeEveryMs)
    }
    this.#ready = true
  }

  stop(): Promise<void> {
    return this.#end('SIGTERM')
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  onDeath(listener: (how: string) => void): void {
    this.#deathListeners.push(listener)
  }

  /** Called when it has done what it was started for. */
  onDone(listener: () => void): void {
    this.#doneListeners.push(listener)
  }

  #isStopping(): boolean {
    return this.#stopping
  }

  #launch(): Promise<Child> {
    const { script, args, heapMb, env } = this.#options
    const heap = `--max-old-space-size=${heapMb}`
    return startChild({
      command: { program: process.execPath, args: [heap, join(SOURCES, script), ...args] },
      logFile: this.logFile,
      pidFile: this.#pidFile,
      signalOnOurDeath: 'SIGTERM',
      env,
      ipc: true,
      onEnd: (how) => this.#onEnd(how),
    })
  }

  #onEnd(how: string): void {
    const ended = this.#ready && !this.#stopping
    this.#ready = false
    if (!ended) return
    const done = how === 'exit code 0' && this.#options.readyUrl === undefined
    for (const listener of done ? this.#doneListeners : this.#deathListeners) listener(how)
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    this.#stopping = true
    // A role has its own limit, and says why it was late: it gets a moment to do so.
    await this.#child?.end(signal, LIMITS.roleStopMs + 500)
  }
}
