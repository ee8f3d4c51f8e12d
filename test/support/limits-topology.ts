import { fuse, topology, tumbling } from '../../src/engine/dsl.ts'
import type { Pipeline } from '../../src/engine/dsl.ts'
import type { Pane } from '../../src/engine/nodes.ts'
import { hours, minutes } from '../../src/kernel/time.ts'
import { TABLES } from '../../src/schemas/tables.ts'
import type { TableDeclaration, TableMode } from '../../src/engine/tables/nodes.ts'

/** A table of limits by meter, and quarter hours beside the limit that held for each. */

export const LIMITS_TOPIC = 'limits'
export const FIELDS = { highW: 'number', note: 'text' } as const

export const limitsTable = (mode: TableMode): TableDeclaration<typeof FIELDS> => ({
  topic: LIMITS_TOPIC,
  mode,
  fields: FIELDS,
})

interface Beside {
  pane: Pane
  highW: number
  note: string | undefined
}

export function limitsPipeline(mode: TableMode): Pipeline {
  return fuse('limits', [
    topology('limits', (t) => {
      const limits = t.table('table', limitsTable(mode))
      const beside: Beside = { pane: undefined as unknown as Pane, highW: NaN, note: undefined }
      t.readings('measured', { disorder: 'registered', horizon: hours(1) })
        .window('quarter-hour', tumbling('15m', minutes(15)))
        .lookup(
          'limit',
          limits,
          ({ tenant, meterId }) => `${tenant}/${meterId}`,
          (pane, row) => {
            beside.pane = pane
            beside.highW = row?.highW ?? NaN
            beside.note = row?.note
            return beside
          },
        )
        .toTable('rows', TABLES.baselines, {
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
    }),
  ])
}
