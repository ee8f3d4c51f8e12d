import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../src/kernel/errors.ts'
import { LIMITS } from '../../src/kernel/limits.ts'
import { lastLines } from '../servers/log-file.ts'
import type { Service } from '../servers/server.ts'
import { supervisorErrors } from './errors.ts'
import type { ProcessState } from './status.ts'

export interface KeepOptions {
  /** Attempts at the first start. */
  readonly attemptsMax: number
  /** How often it may die afterwards; no limit where it is not given. */
  readonly restartsMax?: number
  /** One event, in words, for people. */
  readonly report: (line: string) => void
}

/** Doubles from `LIMITS.restartMs` with each death in a row, up to `LIMITS.restartMsMax`. */
export function backOffMs(deathsInARow: number): number {
  return Math.min(LIMITS.restartMs * 2 ** (deathsInARow - 1), LIMITS.restartMsMax)
}

/** A service that is started again whenever it dies. */
export class Kept {
  readonly service: Service
  readonly #options: KeepOptions
  readonly #stopping = new AbortController()
  #state: ProcessState = 'starting'
  #restarts = 0
  #deathsInARow = 0
  #readyAtMs = 0
  #reviving = Promise.resolve()

  constructor(service: Service, options: KeepOptions) {
    this.service = service
    this.#options = options
    service.onDeath((how) => {
      if (!this.#isStopping()) this.#reviving = this.#revive(how)
    })
  }

  get state(): ProcessState {
    return this.#state
  }

  get restarts(): number {
    return this.#restarts
  }

  /** The first start. @throws What the service throws, after `attemptsMax` attempts. */
  async start(): Promise<void> {
    const { attemptsMax, report } = this.#options
    while (true) {
      try {
        await this.#attempt()
        this.#deathsInARow = 0
        return
      } catch (error) {
        if (this.#isStopping() || attemptsMax === 1) throw error
        const attempts = ++this.#deathsInARow
        const last = messageOf(error)
        const { name } = this.service
        if (attempts >= attemptsMax) {
          throw supervisorErrors.keepsEnding({ name, attempts, last }, error)
        }
        report(`${last}\n  (trying again in ${backOffMs(attempts) / 1000} s)`)
        if (!(await this.#backOff())) throw error
        this.#restarts++
      }
    }
  }

  stop(): Promise<void> {
    return this.#end(() => this.service.stop())
  }

  kill(): Promise<void> {
    return this.#end(() => this.service.kill())
  }

  /** It has done what it was started for. */
  markDone(): void {
    this.#state = 'done'
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted
  }

  async #attempt(): Promise<void> {
    await this.service.start()
    this.#state = 'ready'
    this.#readyAtMs = performance.now()
  }

  /** Waits for the back-off; whether it is still wanted afterwards. */
  async #backOff(): Promise<boolean> {
    const { signal } = this.#stopping
    // An abort ends the wait early, and is no error.
    await sleep(backOffMs(this.#deathsInARow), undefined, { signal }).catch(() => undefined)
    return !this.#isStopping()
  }

  #tail(): string {
    const { logFile } = this.service
    const lines = lastLines(logFile, LIMITS.reportedLogLines)
    if (lines.length === 0) return `its log ${logFile} is empty`
    return `its log ${logFile} ends with\n${lines.map((line) => `    ${line}`).join('\n')}`
  }

  async #revive(how: string): Promise<void> {
    const { restartsMax = Infinity, report } = this.#options
    const { name } = this.service
    if (performance.now() - this.#readyAtMs > LIMITS.restartCalmMs) this.#deathsInARow = 0
    let reason = `${name} died (${how})`
    while (!this.#isStopping()) {
      this.#deathsInARow++
      if (this.#restarts >= restartsMax) {
        this.#state = 'failed'
        report(`${reason}, and is not started again; ${this.#tail()}`)
        return
      }
      this.#state = 'restarting'
      const seconds = backOffMs(this.#deathsInARow) / 1000
      report(`${reason}, restarting in ${seconds} s; ${this.#tail()}`)
      if (!(await this.#backOff())) return
      this.#restarts++
      try {
        await this.#attempt()
        report(`${name} is ready again (restarts: ${this.#restarts})`)
        return
      } catch (error) {
        reason = `${name} did not come back (${messageOf(error).split('\n')[0] ?? ''})`
      }
    }
  }

  async #end(by: () => Promise<void>): Promise<void> {
    this.#stopping.abort()
    if (this.#state !== 'done' && this.#state !== 'failed') this.#state = 'stopping'
    await by()
    await this.#reviving
    // A start that was under way when the service was ended may have launched it again.
    await this.service.kill()
    if (this.#state === 'stopping') this.#state = 'stopped'
  }
}
