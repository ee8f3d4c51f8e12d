import { LIMITS } from '../kernel/limits.ts'

/**
 * Runs it again for as long as what it asks is away. Answers undefined where `isOver` says that
 * nobody wants it any more.
 *
 * @throws what it throws that no second try mends.
 */
export async function patiently<T>(
  run: () => Promise<T>,
  isOver: () => boolean,
  sleep: (millis: number) => Promise<unknown>,
): Promise<T | undefined> {
  for (;;) {
    try {
      return await run()
    } catch (error) {
      if (isOver()) return undefined
      if (!isRetryable(error)) throw error
      await sleep(LIMITS.logRetryMsMax / 4)
    }
  }
}

export function isRetryable(error: unknown): boolean {
  return error instanceof Error && 'retryable' in error && error.retryable === true
}
