import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../src/kernel/errors.ts'
import { LIMITS } from '../../src/kernel/limits.ts'
import { lastLines } from '../servers/log-file.ts'
import type { Service } from '../servers/server.ts'
import { supervisorErrors } from './errors.ts'
import type { ProcessState } from './status.ts'

/** A service that is started again whenever it dies. */
export interface Kept {
  readonly service: Service
  readonly state: ProcessState
  readonly restarts: number
  /** The first start. @throws What the service throws, after `attemptsMax` attempts. */
  start(): Promise<void>
  stop(): Promise<void>
  kill(): Promise<void>
  /** It has ended as it should. */
  markDone(): void
}

export interface KeepOptions {
  /** Attempts at the first start; afterwards there is no end of them, unless `restartsMax` says so. */
  readonly attemptsMax: number
  readonly restartsMax?: number
  /** One event, in words, for people. */
  readonly report: (line: string) => void
}

/** Doubles from `LIMITS.restartMs` with each death in a row, up to `LIMITS.restartMsMax`. */
export function backOffMs(deathsInARow: number): number {
  return Math.min(LIMITS.restartMs * 2 ** (deathsInARow - 1), LIMITS.restartMsMax)
}

export function keep(service: Service, options: KeepOptions): Kept {
  const { report } = options
  const { name } = service
  const stopping = new AbortController()
  let state: ProcessState = 'starting'
  let restarts = 0
  let deathsInARow = 0
  let readyAtMs = 0
  let reviving = Promise.resolve()

  async function attempt(): Promise<void> {
    await service.start()
    state = 'ready'
    readyAtMs = performance.now()
  }

  /** Waits for the back-off; whether it is still wanted afterwards. */
  async function backOff(): Promise<boolean> {
    const { signal } = stopping
    // An abort ends the wait early, and is no error.
    await sleep(backOffMs(deathsInARow), undefined, { signal }).catch(() => undefined)
    return !signal.aborted
  }

  function tail(): string {
    const lines = lastLines(service.logFile, LIMITS.reportedLogLines)
    if (lines.length === 0) return `its log ${service.logFile} is empty`
    return `its log ${service.logFile} ends with\n${lines.map((line) => `    ${line}`).join('\n')}`
  }

  async function revive(how: string): Promise<void> {
    if (performance.now() - readyAtMs > LIMITS.restartCalmMs) deathsInARow = 0
    let reason = `${name} died (${how})`
    while (!stopping.signal.aborted) {
      deathsInARow++
      if (options.restartsMax !== undefined && restarts >= options.restartsMax) {
        state = 'failed'
        report(`${reason}, and is not started again; ${tail()}`)
        return
      }
      state = 'restarting'
      report(`${reason}, restarting in ${backOffMs(deathsInARow) / 1000} s; ${tail()}`)
      if (!(await backOff())) return
      restarts++
      try {
        await attempt()
        report(`${name} is ready again (restarts: ${restarts})`)
        return
      } catch (error) {
        reason = `${name} did not come back (${messageOf(error).split('\n')[0] ?? ''})`
      }
    }
  }

  service.onDeath((how) => {
    if (!stopping.signal.aborted) reviving = revive(how)
  })

  async function end(by: () => Promise<void>): Promise<void> {
    stopping.abort()
    if (state !== 'done' && state !== 'failed') state = 'stopping'
    await by()
    await reviving
    // A start that was under way when the service was ended may have launched it again.
    await service.kill()
    if (state === 'stopping') state = 'stopped'
  }

  return {
    service,
    get state() {
      return state
    },
    get restarts() {
      return restarts
    },
    async start() {
      while (true) {
        try {
          await attempt()
          deathsInARow = 0
          return
        } catch (error) {
          if (stopping.signal.aborted || options.attemptsMax === 1) throw error
          deathsInARow++
          const last = messageOf(error)
          if (deathsInARow >= options.attemptsMax) {
            throw supervisorErrors.keepsEnding({ name, attempts: deathsInARow, last }, error)
          }
          report(`${last}\n  (trying again in ${backOffMs(deathsInARow) / 1000} s)`)
          if (!(await backOff())) throw error
          restarts++
        }
      }
    },
    stop: () => end(() => service.stop()),
    kill: () => end(() => service.kill()),
    markDone() {
      state = 'done'
    },
  }
}
