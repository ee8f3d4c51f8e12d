import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'

/**
 * Time. `Micros` is microseconds since 1970-01-01T00:00:00Z, UTC, as a JavaScript number: whole,
 * and exact until the year 2255. Durations are microseconds too.
 */
export type Micros = number

export const MICROS_PER_MILLI = 1_000
export const MICROS_PER_SECOND = 1_000_000

export const seconds = (n: number): Micros => n * MICROS_PER_SECOND
export const minutes = (n: number): Micros => n * 60 * MICROS_PER_SECOND
export const hours = (n: number): Micros => n * 3_600 * MICROS_PER_SECOND
export const days = (n: number): Micros => n * 86_400 * MICROS_PER_SECOND

/**
 * `2026-11-20T00:00:00.000000Z`: always six fraction digits, so that the text sorts as the time
 * does.
 */
export function formatMicros(at: Micros): string {
  const millis = Math.floor(at / MICROS_PER_MILLI)
  const rest = String(at - millis * MICROS_PER_MILLI).padStart(3, '0')
  return new Date(millis).toISOString().replace('Z', `${rest}Z`)
}

/**
 * A clock is handed in wherever wall time is needed, so that a test can move it. Never in an
 * operator.
 */
export interface Clock {
  /** Wall time, UTC. */
  nowMicros(): Micros
  /** Never goes back; for timeouts and deadlines. */
  monotonicMillis(): number
}

export const systemClock: Clock = {
  nowMicros: () => Date.now() * MICROS_PER_MILLI,
  monotonicMillis: () => performance.now(),
}

/**
 * Time that is waited for. Whoever waits in the engine has it handed in, so that a test decides
 * when the wait is over and in which order.
 */
export interface Scheduler extends Clock {
  /** Resolves early where `stop` aborts. */
  sleep(millis: number, stop?: AbortSignal): Promise<void>
  /** Lets the event loop go round once: sockets are read, timers fire. */
  turn(): Promise<void>
}

/** A time that work is given: others race against `passed`. */
export interface TimeLimit {
  readonly passed: Promise<void>
  readonly isOver: boolean
  /** Nobody waits any more. */
  end(): void
}

export function timeLimit(scheduler: Scheduler, millis: number): TimeLimit {
  const ended = new AbortController()
  let isOver = false
  const passed = scheduler.sleep(millis, ended.signal).then(() => {
    isOver = true
  })
  return {
    passed,
    get isOver() {
      return isOver
    },
    end: () => ended.abort(),
  }
}

export const systemScheduler: Scheduler = {
  ...systemClock,
  async sleep(millis, stop) {
    // An abort ends the wait early, and is no error.
    await sleep(millis, undefined, stop && { signal: stop }).catch(() => undefined)
  },
  turn: () => turn(),
}
