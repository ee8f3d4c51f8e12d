import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultProxy } from '../../sinks/fault-proxy.ts'
import { openProxy } from '../proxy.ts'
import { questdbQuery } from '../../support/questdb.ts'
import type { Scene } from '../scene.ts'
import type { Scenario } from '../scenario.ts'

const HELD_SECONDS_MAX = 60
const TAKEN_OVER_SECONDS_MAX = 60
/** So long the write lies frozen after the other processor has taken over. */
const FROZEN_MS = 3_000
const WINDOW_LINES = new RegExp(
  'windows,tenant=[^,]+,meter_id=([^,]+),channel=([^,]+),width=([^, ]+) ' +
    '[^]*?,revision=(\\d+)i (\\d+)t\\n',
  'g',
)
/** Of so many some are sure to be restated. */
const WINDOWS_MIN = 20
const GATHER_MS = 1_500

/**
 * A processor is stopped with a write under way, which lies frozen on the line; its partitions go
 * to the other one, which restates some of the same windows; then the frozen write arrives, and the
 * stopped one goes on as if nothing had been. No reader may be left with the older revision.
 */
export function zombie(): Scenario {
  let proxy: FaultProxy
  return {
    number: 10,
    name: 'processor frozen past its session, with an older revision under way',
    runs: { full: 4, quick: 1 },
    async between(questdbUrl) {
      const opened = await openProxy(questdbUrl)
      proxy = opened.proxy
      return { questdbUrls: [proxy.url], close: opened.close }
    },
    async run(scene, runs) {
      for (let i = 0; i < runs; i++) await freeze(scene, proxy)
    },
  }
}

async function freeze(scene: Scene, proxy: FaultProxy): Promise<void> {
  const victim = scene.processors[0]!
  const isHeld = await scene.until(HELD_SECONDS_MAX, async () => {
    const bodies = proxy.held.map(({ body }) => body.toString('latin1'))
    if (bodies.some((body) => rowsIn(body).length >= WINDOWS_MIN)) return true
    // While one is held others gather behind it: the next one is larger.
    if (proxy.held.length > 0) await sleep(GATHER_MS)
    for (const held of proxy.held.splice(0)) void held.release()
    if (!proxy.faults.includes('hold')) proxy.faults.push('hold')
    return false
  })
  victim.pause()
  proxy.faults.length = 0
  const stood = await scene.committed()
  const takenOver = await scene.until(TAKEN_OVER_SECONDS_MAX, async () => {
    const now = await scene.committed()
    return now.every((offset, p) => offset > (stood[p] ?? 0))
  })
  // Restatements wait for the next whole ten seconds of append time.
  await sleep(10_500 - (Date.now() % 10_000))
  await sleep(FROZEN_MS)
  const held = proxy.held.splice(0)
  const older = await olderRevisions(
    scene,
    held.map(({ body }) => body.toString('latin1')).join(''),
  )
  await Promise.all(held.map((write) => write.release()))
  victim.resume()
  scene.expectReached(
    `held ${isHeld}, taken over ${takenOver}, ${older} windows restated meanwhile`,
    isHeld && takenOver && older > 0,
  )
  await scene.recovered(`${older} older revisions arrived late`)
}

/** How many of the windows in these lines the table knows with a higher revision by now. */
async function olderRevisions(scene: Scene, lines: string): Promise<number> {
  const { questdbUrl, tablePrefix } = scene.config
  const rows = await questdbQuery(
    questdbUrl,
    `select meter_id, channel, width, cast(ts as long), revision from '${tablePrefix}windows'`,
  )
  const known = new Map(
    rows.map(([meter, channel, width, at, revision]) => [
      [meter, channel, width, at].join('|'),
      Number(revision),
    ]),
  )
  return rowsIn(lines).filter(({ key, revision }) => (known.get(key) ?? -1) > revision).length
}

/** The windows of a request in the line protocol, doubles in binary form among its text. */
function rowsIn(lines: string): { key: string; revision: number }[] {
  return [...lines.matchAll(WINDOW_LINES)].map(([, meter, channel, width, revision, at]) => ({
    key: [meter, channel, width, at].join('|'),
    revision: Number(revision),
  }))
}
