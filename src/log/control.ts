import type { Codec } from '../schemas/codecs.ts'
import type { ControlRecord } from '../schemas/records.ts'
import type { OutgoingRecord } from './log.ts'
import { CONTROL_HEADER } from './topics.ts'

/** A control record on its way into a partition of the readings. */
export function controlRecord(
  codec: Codec<ControlRecord>,
  control: ControlRecord,
  partition: number,
): OutgoingRecord {
  const headers = { [CONTROL_HEADER]: Buffer.from(control.kind) }
  return { key: null, value: codec.encode(control), partition, headers }
}

/**
 * What says in the log itself that a bridge is alive: a control record in every partition of
 * `readings`. Without one, silence in the log may be an outage of ours, and nobody may take it for
 * the fleet's.
 *
 * @param source Which bridge it is.
 */
export function tickRecords(
  codec: Codec<ControlRecord>,
  source: string,
  partitions: number,
): readonly OutgoingRecord[] {
  const tick = { kind: 'tick', source, table: null, offset: null, body: null }
  return Array.from({ length: partitions }, (_, partition) => controlRecord(codec, tick, partition))
}
