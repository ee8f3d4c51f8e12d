import { setTimeout as sleep } from 'node:timers/promises'

/** Tries until `check` no longer throws; after 30 s with what it threw last. */
export async function eventually(what: string, check: () => Promise<void>): Promise<void> {
  const deadlineMs = performance.now() + 30_000
  for (;;) {
    try {
      await check()
      return
    } catch (cause) {
      if (performance.now() > deadlineMs) throw new Error(`30 s, and not yet: ${what}`, { cause })
    }
    await sleep(250)
  }
}
