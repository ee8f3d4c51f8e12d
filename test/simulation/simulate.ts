import { loadCodecs } from '../../src/schemas/codecs.ts'
import { testRegistry } from '../support/registry.ts'
import { Dice } from './dice.ts'
import { makePlan } from './plan.ts'
import { World } from './world.ts'

export interface SimulateOptions {
  /** Only so many happenings of the plan. */
  readonly happenings?: number
  /** Faults that are left out. */
  readonly without?: readonly string[]
  /** Told of all that happens, a line each. */
  readonly tell?: (line: string) => void
}

export interface Outcome {
  readonly seed: number
  /** Undefined where all promises were kept. */
  readonly failure: string | undefined
  /** How often each thing happened that a simulation is there for. */
  readonly reached: ReadonlyMap<string, number>
  readonly happenings: number
  readonly steps: number
  readonly rowsCompared: number
  /** The same for two runs in which the same things happened in the same order. */
  readonly trace: number
}

const codecs = await loadCodecs()
const registry = testRegistry(
  [0, 1, 2].map((m) => ({ meterId: `sim-${m}`, place: `place-${m % 2}` })),
)
const subject = { registry, codecs }

/** One simulation, decided by its seed alone. */
export async function simulate(seed: number, options: SimulateOptions = {}): Promise<Outcome> {
  const dice = new Dice(seed, new Set(options.without))
  const whole = makePlan(dice, codecs)
  const happenings = whole.happenings.slice(0, options.happenings)
  const world = new World(dice, { ...whole, happenings }, subject, options.tell)
  const onUnhandled = (error: unknown) => world.fail(error)
  process.on('unhandledRejection', onUnhandled)
  let failure: string | undefined
  try {
    await world.run()
  } catch (error) {
    failure = error instanceof Error ? (error.stack ?? error.message) : String(error)
  } finally {
    process.off('unhandledRejection', onUnhandled)
  }
  const { steps, trace } = world
  const { rowsCompared } = world.promises
  const counts = { happenings: happenings.length, steps, rowsCompared, trace }
  return { seed, failure, reached: dice.reached, ...counts }
}
