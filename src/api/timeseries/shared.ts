import { LIMITS } from '../../kernel/limits.ts'
import type { Clock } from '../../kernel/time.ts'

interface Answer<T> {
  readonly promise: Promise<T>
  /** Monotonic; undefined while it is not there. */
  sinceMs: number | undefined
}

/**
 * One answer for all who ask within a while, by key: many dashboards make no more work than one.
 * What fails is asked again by the next.
 */
export class Shared<T> {
  private readonly answers = new Map<string, Answer<T>>()
  private readonly clock: Clock
  private readonly freshMs: number
  private readonly make: (key: string) => Promise<T>

  constructor(clock: Clock, freshMs: number, make: (key: string) => Promise<T>) {
    this.clock = clock
    this.freshMs = freshMs
    this.make = make
  }

  of(key = ''): Promise<T> {
    const known = this.answers.get(key)
    const nowMs = this.clock.monotonicMillis()
    if (known !== undefined && (known.sinceMs ?? nowMs) > nowMs - this.freshMs) {
      return known.promise
    }
    if (this.answers.size >= LIMITS.apiSharedKeysMax) this.answers.clear()
    const answer: Answer<T> = { promise: this.make(key), sinceMs: undefined }
    this.answers.set(key, answer)
    answer.promise.then(
      () => (answer.sinceMs = this.clock.monotonicMillis()),
      () => {
        if (this.answers.get(key) === answer) this.answers.delete(key)
      },
    )
    return answer.promise
  }
}
