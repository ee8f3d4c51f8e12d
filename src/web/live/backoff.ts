/** How long to wait before the next attempt to connect, in ms. */

const FIRST_MS = 500
const LONGEST_MS = 20_000

/**
 * Doubles with each attempt (0 is the first). Half of it is chance, so that a thousand browsers do
 * not come back at one moment. `chance` is in [0, 1).
 */
export function backoffMs(attempt: number, chance: number): number {
  const whole = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 16))
  return whole * (0.5 + chance / 2)
}
