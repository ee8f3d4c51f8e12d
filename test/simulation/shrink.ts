import { FAULTS } from './dice.ts'
import { simulate } from './simulate.ts'
import type { Outcome, SimulateOptions } from './simulate.ts'

/**
 * The least that still breaks a promise: as few happenings as bisection finds, then each fault left
 * out that is not needed. Another promise may be the one that breaks in the end.
 */
export async function shrink(
  outcome: Outcome,
  options: SimulateOptions,
): Promise<{ outcome: Outcome; line: string }> {
  const { seed } = outcome
  let least = outcome
  let { without = [] } = options
  let low = 0
  while (low + 1 < least.happenings) {
    const middle = (low + least.happenings) >>> 1
    const tried = await simulate(seed, { happenings: middle, without })
    if (tried.failure === undefined) low = middle
    else least = tried
  }
  for (const fault of FAULTS) {
    if (!least.reached.has(fault)) continue
    const fewer = [...without, fault]
    const tried = await simulate(seed, { happenings: least.happenings, without: fewer })
    if (tried.failure === undefined) continue
    least = tried
    without = fewer
  }
  const left = without.map((fault) => ` --without '${fault}'`).join('')
  const line = `node test/simulation/run.ts --seed ${seed} --happenings ${least.happenings}${left}`
  return { outcome: least, line }
}
