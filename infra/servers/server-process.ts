import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../src/kernel/errors.ts'
import { LIMITS } from '../../src/kernel/limits.ts'
import { type Child, startChild } from './child.ts'
import { serverErrors } from './errors.ts'
import { lastLines, rotateLog } from './log-file.ts'
import { endLeftover } from './pid-file.ts'
import { assertPortsFree } from './ports.ts'
import type { PortClaim, Server, ServerName, ServerSpec } from './server.ts'

/** Where a child keeps what, below the data folder. */
export function childFiles(dataDir: string, name: string) {
  return {
    logFile: join(dataDir, 'logs', `${name}.log`),
    pidFile: join(dataDir, 'run', `${name}.pid`),
  }
}

/** The error for a child that ended before it was ready. */
export function endedEarly(server: string, how: string, logFile: string): Error {
  const lines = lastLines(logFile, LIMITS.reportedLogLines)
  return serverErrors.exited({ server, how, logFile, lines })
}

/** Runs the server that a spec describes as a child of this process. */
export class ServerProcess implements Server {
  readonly name: ServerName
  readonly claims: readonly PortClaim[]
  readonly logFile: string
  readonly #spec: ServerSpec
  readonly #pidFile: string
  readonly #listeners: ((how: string) => void)[] = []
  #child: Child | undefined
  #startedBefore = false
  #ready = false
  #stopping = false

  constructor(spec: ServerSpec, dataDir: string) {
    const { logFile, pidFile } = childFiles(dataDir, spec.name)
    this.name = spec.name
    this.claims = spec.claims
    this.logFile = logFile
    this.#spec = spec
    this.#pidFile = pidFile
  }

  get port(): number {
    return this.claims[0]!.port
  }

  get pid(): number | undefined {
    return this.#child?.ended === undefined ? this.#child?.pid : undefined
  }

  endLeftover(): Promise<boolean> {
    return endLeftover(this.#pidFile, this.#spec.stopSignal, LIMITS.serverStopMs)
  }

  async start(): Promise<void> {
    this.#stopping = false
    await this.endLeftover()
    await assertPortsFree(this.name, this.claims)
    await this.#spec.prepare()
    // What a server said before it died is still wanted after its restart.
    if (!this.#startedBefore) rotateLog(this.logFile)
    this.#startedBefore = true
    // stop() may have come meanwhile, and found nothing to stop.
    if (this.#isStopping()) throw serverErrors.stopped({ server: this.name })
    const child = await this.#launch()
    this.#child = child
    try {
      await this.#awaitReady(child)
      this.#ready = true
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await this.#child?.end(this.#spec.stopSignal, LIMITS.serverStopMs)
  }

  async kill(): Promise<void> {
    this.#stopping = true
    await this.#child?.end('SIGKILL', LIMITS.serverStopMs)
  }

  onDeath(listener: (how: string) => void): void {
    this.#listeners.push(listener)
  }

  #isStopping(): boolean {
    return this.#stopping
  }

  async #launch(): Promise<Child> {
    const command = this.#spec.command()
    try {
      return await startChild({
        command,
        logFile: this.logFile,
        pidFile: this.#pidFile,
        signalOnOurDeath: this.#spec.stopSignal,
        env: process.env,
        onEnd: (how) => this.#onEnd(how),
      })
    } catch (error) {
      throw serverErrors.notFound({ server: this.name, program: command.program }, error)
    }
  }

  #onEnd(how: string): void {
    const died = this.#ready && !this.#stopping
    this.#ready = false
    if (died) for (const listener of this.#listeners) listener(how)
  }

  async #awaitReady(child: Child): Promise<void> {
    const waitedMs = LIMITS.serverStartMs
    const deadlineMs = performance.now() + waitedMs
    while (true) {
      if (child.ended !== undefined) throw endedEarly(this.name, child.ended, this.logFile)
      try {
        await this.#spec.probe()
        return
      } catch (error) {
        if (performance.now() > deadlineMs) {
          const { name: server, logFile } = this
          const reason = messageOf(error)
          throw serverErrors.notReady({ server, waitedMs, logFile, reason }, error)
        }
      }
      await sleep(LIMITS.probeEveryMs)
    }
  }
}
