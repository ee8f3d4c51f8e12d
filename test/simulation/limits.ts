import { topology } from '../../src/engine/dsl.ts'
import type { Pane } from '../../src/engine/nodes.ts'
import type { TableDeclaration, TableMode } from '../../src/engine/tables/nodes.ts'
import { tableRecord } from '../../src/engine/tables/table-record.ts'
import { minutes } from '../../src/kernel/time.ts'
import type { OutgoingRecord } from '../../src/log/log.ts'
import { TABLES } from '../../src/schemas/tables.ts'
import { windows } from '../../topologies/windows.ts'
import { START } from '../support/readings.ts'
import type { Dice } from './dice.ts'

/** Lookup tables of both kinds: quarter hours beside the limit that holds for their meter. */

const FIELDS = { highW: 'number' } as const
const MODES: readonly TableMode[] = ['from-now', 'effective-dated']

/** A table's topic, its rows' table, and its kind. */
export const LIMITS = MODES.map((mode) => {
  const topic = `limits-${mode}`
  return { topic, mode, spec: { ...TABLES.baselines, table: topic } }
})

interface Beside {
  pane: Pane
  highW: number
}

export const limits = topology('limits', (t) => {
  const { quarter } = windows.exports
  for (const { topic, mode, spec } of LIMITS) {
    const beside: Beside = { pane: undefined as unknown as Pane, highW: NaN }
    const table: TableDeclaration<typeof FIELDS> = { topic, mode, fields: FIELDS }
    quarter
      .lookup(
        `${topic}-beside`,
        t.table(topic, table),
        ({ tenant, meterId }) => `${tenant}/${meterId}`,
        (pane, row) => {
          beside.pane = pane
          beside.highW = row?.highW ?? NaN
          return beside
        },
      )
      .toTable(`${topic}-rows`, spec, {
        ts: ({ pane }) => pane.start,
        tenant: ({ pane }) => pane.tenant,
        meter_id: ({ pane }) => pane.meterId,
        channel: ({ pane }) => pane.channel,
        width: ({ pane }) => pane.width,
        kind: () => 'limit',
        centre: ({ pane }) => pane.mean,
        lower: () => NaN,
        upper: ({ highW }) => highW,
        n: ({ pane }) => pane.count,
        revision: ({ pane }) => pane.revision,
      })
  }
})

/** A row of one of the tables that is new, another now, or gone; or what is no row at all. */
export function limitRecord(dice: Dice): { topic: string; record: OutgoingRecord } {
  const { topic, mode } = LIMITS[dice.whole('limits', 0, LIMITS.length - 1)]!
  const table: TableDeclaration<typeof FIELDS> = { topic, mode, fields: FIELDS }
  const key = `demo/sim-${dice.whole('limits', 0, 3)}`
  const isGone = dice.chance('limits', 0.2)
  const row = isGone ? null : { highW: dice.whole('limits', 1, 9) }
  const from = START + minutes(15 * dice.whole('limits', -4, 40))
  const record = tableRecord(table, key, row, mode === 'effective-dated' ? from : undefined)
  if (dice.chance('limits', 0.05)) {
    dice.reach('table row: none')
    return { topic, record: { ...record, value: Buffer.from('{"highW":') } }
  }
  dice.reach(isGone ? 'table row: gone' : 'table row: set')
  return { topic, record }
}
