import type { FaultProxy } from '../../sinks/fault-proxy.ts'
import { openProxy } from '../proxy.ts'
import type { Scenario } from '../scenario.ts'

const LEFT_SECONDS_MAX = 90

/** The processors' way to QuestDB loses answers after it has taken the rows, refuses, and hangs. */
export function partialSink(): Scenario {
  let proxy: FaultProxy
  return {
    number: 11,
    name: 'answers of QuestDB that are lost, 500, or never come',
    runs: { full: 8, quick: 2 },
    async between(questdbUrl) {
      const opened = await openProxy(questdbUrl)
      proxy = opened.proxy
      return { questdbUrls: [proxy.url, proxy.url], close: opened.close }
    },
    async run(scene, runs) {
      for (let i = 0; i < runs; i++) {
        const kind = (['drop-answer', 'status-500', 'drop-answer', 'hang'] as const)[i % 4]!
        const count = kind === 'hang' ? 1 : 6
        for (let n = 0; n < count; n++) proxy.faults.push(kind)
        const isDone = await scene.until(LEFT_SECONDS_MAX, () => proxy.faults.length === 0)
        scene.expectReached(`not all writes met '${kind}'`, isDone)
        await scene.recovered(`writes met '${kind}'`)
      }
    },
  }
}
