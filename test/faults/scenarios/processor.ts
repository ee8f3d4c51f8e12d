import { checkCommitted } from '../committed.ts'
import { PLACES } from '../failpoint.ts'
import type { Scene } from '../scene.ts'
import type { Scenario } from '../scenario.ts'

type Place = (typeof PLACES)[number]

const QUICK: readonly Place[] = ['after-flush', 'before-commit']
const REACHED_SECONDS_MAX = 90
/** Passes before the kill, where a place is passed often: so that it lies in the midst of work. */
const PASSES = 4
/** Whoever hands over takes a last snapshot of what it has. */
const AT_HAND_OVER: readonly Place[] = ['before-snapshot', 'mid-snapshot']
/** Passed once in an assignment. */
const ONCE: readonly Place[] = ['on-assign', 'mid-restore', 'after-restore', 'on-revoke']

/** One of two processors in turn ends at each place between the engine and its log and tables. */
export const processorKilled: Scenario = {
  number: 2,
  name: `processor killed at ${PLACES.length} places`,
  runs: { full: 3 * PLACES.length, quick: QUICK.length },
  async run(scene, runs, isQuick) {
    for (let i = 0; i < runs; i++) {
      const places = isQuick ? QUICK : PLACES
      await killAt(scene, i, places[i % places.length]!)
    }
  },
}

async function killAt(scene: Scene, run: number, place: Place): Promise<void> {
  const victim = scene.processors[run % 2]!
  const other = scene.processors[(run + 1) % 2]!
  const pass = ONCE.includes(place) || AT_HAND_OVER.includes(place) ? 1 : PASSES
  const order = scene.order(place, pass)
  // It is started with its order; the stop before it is a hand-over in itself.
  await victim.stop()
  victim.start(order)
  const gone = victim.gone.then(() => true)
  if (place === 'on-revoke') {
    // Who comes anew takes partitions from who has them all.
    await scene.allReady()
    await other.stop()
    await scene.recovered('one processor was stopped')
    other.start()
  }
  if (AT_HAND_OVER.includes(place)) {
    await scene.recovered('one processor was restarted')
    await victim.stop()
  }
  const limit = new Promise<boolean>((resolve) => {
    setTimeout(() => resolve(false), 1_000 * REACHED_SECONDS_MAX).unref()
  })
  await Promise.race([gone, limit])
  const reached = scene.wasReached(order)
  scene.expectReached(`the processor never came to ${place}`, reached)
  if (reached) {
    await gone
    await checkCommitted(scene)
  } else await victim.kill()
  victim.start()
  await scene.recovered(`a processor was killed at ${place}`)
}
