import { logRecords } from '../oracle/log-records.ts'
import { questdbQuery } from '../support/questdb.ts'
import { identities } from './load.ts'
import type { Scene } from './scene.ts'

/** Below it, earlier kills have looked already. */
const LOOK_BACK = 3_000
const APPLIED_SECONDS_MAX = 5

/**
 * O4, at a kill: each reading below the committed offset is in its table. The look is over before
 * the dead member's session is, so that nobody else can have written what it had not.
 */
export async function checkCommitted(scene: Scene): Promise<void> {
  const committed = await scene.committed()
  const began = performance.now()
  if (!(await scene.until(APPLIED_SECONDS_MAX, () => appliedNow(scene)))) return
  const records = await logRecords(scene.log, scene.topics.readings)
  const stored = await storedIdentities(scene)
  let checked = 0
  for (const { partition, offset, reading } of records) {
    const end = committed[partition] ?? 0
    if (reading === null || offset >= end || offset < end - LOOK_BACK) continue
    const channels = reading.measurements.map(({ channel }) => channel)
    for (const id of identities({ ...reading, channels })) {
      checked++
      if (stored.has(id)) continue
      scene.fail(`O4 committed and not in its table: ${id} at ${partition}:${offset}`)
      return
    }
  }
  const seconds = ((performance.now() - began) / 1_000).toFixed(1)
  scene.options.say(`    committed rows are in their table: ${checked} looked up in ${seconds} s`)
}

/** What was acknowledged by now; more may come while we look. */
async function appliedNow(scene: Scene): Promise<boolean> {
  const [row] = await questdbQuery(
    scene.config.questdbUrl,
    `select writerTxn, sequencerTxn from wal_tables()
     where name = '${scene.config.tablePrefix}readings'`,
  )
  return row?.[0] === row?.[1]
}

async function storedIdentities(scene: Scene): Promise<ReadonlySet<string>> {
  const rows = await questdbQuery(
    scene.config.questdbUrl,
    `select tenant, meter_id, channel, cast(ts as long) at
     from '${scene.config.tablePrefix}readings'`,
  )
  return new Set(rows.map((cells) => cells.join('|')))
}
