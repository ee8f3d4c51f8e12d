import { setTimeout as sleep } from 'node:timers/promises'
import type { Scene } from '../scene.ts'
import type { Scenario } from '../scenario.ts'

const PAUSE_MS = { full: 20_000, quick: 3_000 }

/** Publishes are under way at every moment: their PUBACKs never come, and they are sent again. */
export const bridgeKilled: Scenario = {
  number: 1,
  name: 'bridge killed, and paused',
  runs: { full: 10, quick: 2 },
  async run(scene, runs, isQuick) {
    for (let i = 0; i < runs; i++) {
      if (i % 5 === 1) await paused(scene, isQuick ? PAUSE_MS.quick : PAUSE_MS.full)
      else await killed(scene)
    }
  },
}

async function killed(scene: Scene): Promise<void> {
  const before = scene.load.resent()
  await scene.bridge.kill()
  await sleep(300)
  scene.bridge.start()
  await scene.recovered('the bridge was killed')
  // The load sends on, so that the connections come back by themselves.
  await scene.until(10, () => scene.load.resent() > before)
  scene.expectReached('no publish was sent again', scene.load.resent() > before)
}

async function paused(scene: Scene, ms: number): Promise<void> {
  scene.bridge.pause()
  await sleep(500)
  const before = scene.load.acknowledged()
  await sleep(ms)
  const during = scene.load.acknowledged()
  scene.bridge.resume()
  await scene.recovered('the bridge was paused')
  scene.expectReached('the paused bridge acknowledged', during === before)
}
