import { topology } from '../src/engine/dsl.ts'
import { hours } from '../src/kernel/time.ts'
import { TABLES } from '../src/schemas/tables.ts'

/** How late, in its meter's own time, a reading may come and still change its windows. */
export const HORIZON = hours(1)

/** Every measurement as a row. All other topologies build on its stream. */
export const readings = topology('readings', (t) => {
  const measured = t.readings('measured', {
    disorder: 'registered',
    horizon: HORIZON,
    silence: 'registered',
  })
  measured.toTable('raw-rows', TABLES.readings, {
    ts: (s) => s.at,
    tenant: (s) => s.tenant,
    meter_id: (s) => s.meterId,
    channel: (s) => s.channel,
    value: (s) => s.value,
    quality: (s) => s.quality,
    seq: (s) => s.seq,
  })
  measured.repair('repair', 'repairs')
  return { measured }
})
