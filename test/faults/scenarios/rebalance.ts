import { setTimeout as sleep } from 'node:timers/promises'
import type { Scenario } from '../scenario.ts'

const EVERY_MS = 3_000
const TURNS = 20

/** A third processor joins and leaves: each time all partitions are handed out anew. */
export const rebalanceStorm: Scenario = {
  number: 9,
  name: `a processor joins or leaves every ${EVERY_MS / 1_000} s, ${TURNS} times`,
  runs: { full: 2, quick: 1 },
  async run(scene, runs, isQuick) {
    const third = await scene.addProcessor()
    await scene.allReady()
    for (let run = 0; run < runs; run++) {
      let joins = 0
      const turns = isQuick ? TURNS / 4 : TURNS
      for (let turn = 0; turn < turns; turn++) {
        if (turn % 2 === 0) await third.stop()
        else {
          third.start()
          joins++
        }
        await sleep(EVERY_MS)
        // Asked so often that an offset which goes back is seen.
        await scene.committed()
      }
      if (turns % 2 === 1) third.start()
      await scene.recovered('the storm')
      scene.expectReached('nobody joined', joins >= Math.floor(turns / 2))
    }
  },
}
