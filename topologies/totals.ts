import { fuse, topology } from '../src/engine/dsl.ts'
import type { Stream } from '../src/engine/dsl.ts'
import type { Pane } from '../src/engine/nodes.ts'
import { hours, MICROS_PER_MILLI, minutes } from '../src/kernel/time.ts'
import { TABLES } from '../src/schemas/tables.ts'
import { windows } from './windows.ts'

const known = (value: number): number | null => (isNaN(value) ? null : value)

/** Stage one: the windows of every series, by tenant. */
export const contributions = topology('contributions', () => {
  const { quarter, hour } = windows.exports
  const give = (name: string, panes: Stream<Pane>) => {
    panes.rekey(name, {
      topic: 'contributions',
      keyOf: (pane) => pane.tenant,
      map: (pane, { place, kind, appendedMillis }) => ({
        kind: 'pane',
        tenant: pane.tenant,
        meterId: pane.meterId,
        channel: pane.channel,
        place: place ?? null,
        width: pane.width,
        start: pane.start,
        // A register's readings have no sum; of its windows the energy counts.
        value: kind === 'cumulative' ? null : known(kind === 'interval' ? pane.sum : pane.mean),
        energyWh: known(pane.energyWh),
        appended: appendedMillis,
      }),
    })
  }
  give('quarter-hour', quarter)
  give('hour', hour)
})

/** Stage two: sums over the meters of each tenant and of each place. */
const totals = topology('totals', (t) => {
  t.rekeyed('contributed', 'contributions')
    .totals('sums', {
      scopes: [
        { scope: 'tenant', idOf: (c) => c.tenant },
        { scope: 'place', idOf: (c) => c.place ?? undefined },
      ],
      // Two hours and more, so that what a series restates within its horizon is remembered.
      widths: [
        { width: '15m', micros: minutes(15), remembered: 8 },
        { width: '1h', micros: hours(1), remembered: 4 },
      ],
      keepMillis: hours(3) / MICROS_PER_MILLI,
      silentAfterMillis: minutes(90) / MICROS_PER_MILLI,
    })
    .toTable('total-rows', TABLES.totals, {
      ts: (total) => total.start,
      tenant: (total) => total.tenant,
      scope: (total) => total.scope,
      scope_id: (total) => total.scopeId,
      channel: (total) => total.channel,
      width: (total) => total.width,
      sum: (total) => total.sum,
      mean: (total) => total.mean,
      energy_wh: (total) => total.energyWh,
      reporting: (total) => total.reporting,
      expected: (total) => total.expected,
      final: (total) => total.final,
      revision: (total) => total.revision,
    })
})

/** All that is computed across meters, in one task a partition of the contributions. */
export const totalsPipeline = fuse('totals', [totals])
