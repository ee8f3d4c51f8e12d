import { questdbQuery } from '../../support/questdb.ts'
import { settled } from '../../support/pipeline.ts'
import type { Scene } from '../scene.ts'
import type { Scenario } from '../scenario.ts'

const TABLES = ['readings', 'windows', 'baselines', 'anomalies', 'totals']
const SETTLE_SECONDS_MAX = 60

/** Another group begins at offset 0, over tables that are full: nothing in them may change. */
export const replayed: Scenario = {
  number: 16,
  name: 'replay from offset 0 over live tables',
  runs: { full: 1, quick: 1 },
  async run(scene) {
    await scene.load.stop()
    await settled(scene.config, scene.log, SETTLE_SECONDS_MAX)
    const before = await contents(scene)
    await Promise.all(scene.processors.map((processor) => processor.stop()))
    scene.regroup('replay')
    const fromZero = (await scene.committed()).every((offset) => offset === 0)
    for (const processor of scene.processors) processor.start()
    await scene.allReady()
    await scene.recovered('the replay began')
    await settled(scene.config, scene.log, SETTLE_SECONDS_MAX)
    const after = await contents(scene)
    const holdsRows = before.every(({ rows }) => rows.length > 0)
    scene.expectReached('nothing was replayed', fromZero && holdsRows)
    for (const [i, { table, rows }] of before.entries()) {
      const now = after[i]!.rows
      const at = rows.findIndex((row, r) => row !== now[r])
      if (rows.length !== now.length) {
        scene.fail(`O2 ${table}: ${rows.length} rows became ${now.length}`)
      } else if (at >= 0) {
        scene.fail(`O2 ${table}: after the replay ${rows[at]!} is ${now[at]!}`)
      }
    }
  },
}

async function contents(scene: Scene): Promise<{ table: string; rows: readonly string[] }[]> {
  const { questdbUrl, tablePrefix } = scene.config
  return Promise.all(
    TABLES.map(async (table) => {
      const rows = await questdbQuery(questdbUrl, `select * from '${tablePrefix}${table}'`)
      return { table, rows: rows.map((row) => JSON.stringify(row)).sort() }
    }),
  )
}
