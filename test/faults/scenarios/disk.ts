import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { questdbQuery } from '../../support/questdb.ts'
import type { Scene } from '../scene.ts'
import type { Scenario } from '../scenario.ts'

const STOPPED_SECONDS_MAX = 60
const FULL_MS = 3_000
const CARE_EVERY_MS = 1_000
const CHUNK_BYTES = 1024 * 1024

/** The disk of the servers is filled up: nothing is acknowledged then, and all goes on after. */
export const diskFull: Scenario = {
  number: 12,
  name: 'disk full, and freed',
  runs: { full: 4, quick: 1 },
  ownDisk: true,
  async run(scene, runs) {
    const { dataDir } = scene.options.stage
    for (let i = 0; i < runs; i++) {
      const ballast = join(dataDir, 'ballast')
      fill(ballast)
      const stopped = await scene.until(STOPPED_SECONDS_MAX, () => standsStill(scene))
      await sleep(FULL_MS)
      scene.expectReached('publishes were acknowledged on a full disk', stopped)
      rmSync(ballast)
      const caring = new AbortController()
      const cared = careFor(scene, caring.signal)
      await scene.recovered('the disk was freed')
      caring.abort()
      await cared
    }
  },
}

/** Takes all that is left. */
function fill(ballast: string): void {
  const file = openSync(ballast, 'w')
  const chunk = Buffer.alloc(CHUNK_BYTES)
  try {
    for (;;) writeSync(file, chunk)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  } finally {
    closeSync(file)
  }
}

async function standsStill(scene: Scene): Promise<boolean> {
  const before = scene.load.acknowledged()
  await sleep(2_000)
  return scene.load.acknowledged() === before
}

/**
 * What the supervisor and a person do: Kafka ends itself when it cannot write, and QuestDB suspends
 * tables, each some time after the disk was full.
 */
async function careFor(scene: Scene, stop: AbortSignal): Promise<void> {
  const { brokers, questdb } = scene.options.stage
  while (!stop.aborted) {
    for (const broker of brokers) if (broker.pid === undefined) await broker.start()
    if (questdb.pid === undefined) await questdb.start()
    await resumeSuspended(scene).catch(() => undefined)
    await sleep(CARE_EVERY_MS)
  }
}

/** What a person may do sooner than the processors for a table that QuestDB has suspended. */
async function resumeSuspended(scene: Scene): Promise<void> {
  const { questdbUrl, tablePrefix } = scene.config
  const rows = await questdbQuery(questdbUrl, 'select name, suspended from wal_tables()')
  for (const [name, suspended] of rows) {
    if (suspended !== true || !String(name).startsWith(tablePrefix)) continue
    await questdbQuery(questdbUrl, `alter table '${String(name)}' resume wal`)
  }
}
