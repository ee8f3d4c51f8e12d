import { encodePosition } from '../../log/position.ts'
import { SOURCE_HEADER } from '../../log/topics.ts'
import type { Contribution } from '../../schemas/records.ts'
import { RecordWriter } from '../record-writer.ts'
import type { Runner } from '../runner.ts'
import { CHANNEL_KINDS } from '../series.ts'

/** Stage one: items go to the intermediate topic, and the clock goes to each of its partitions. */
export const runRekey: Runner<'rekey'> = (node, { options, progress, table, feed, onClock }) => {
  const { codecs, topics, outputs, epoch, partition, partitions, registry } = options
  const codec = codecs.contribution
  const writer = RecordWriter.of(codec) ?? codec
  const topic = topics[node.topic]
  const headers = () => {
    // Counted while silent too: the next to be emitted has the index that it had before.
    const index = progress.outputIndex++
    if (!progress.emitting) return undefined
    return { [SOURCE_HEADER]: encodePosition({ epoch, partition, offset: progress.offset, index }) }
  }
  feed(node.input, (slot, item) => {
    const own = headers()
    if (own === undefined) return
    const meter = table.series.columns.meter.get(slot)
    const { place } = registry.meter(table.tenants[meter]!, table.meterIds[meter]!)
    const kind = CHANNEL_KINDS[table.series.columns.kind.get(slot)]!
    const { appendedMillis } = progress
    const value = writer.encode(node.map(item, { place, kind, appendedMillis }))
    outputs.log(topic, { key: Buffer.from(node.keyOf(item)), value, headers: own })
  })
  onClock(() => {
    const clock: Contribution = {
      kind: 'clock',
      tenant: '',
      meterId: '',
      channel: '',
      place: null,
      width: '',
      start: 0,
      value: null,
      energyWh: null,
      appended: progress.appendedMillis,
    }
    for (let to = 0; to < partitions; to++) {
      const own = headers()
      if (own === undefined) continue
      outputs.log(topic, { key: null, value: writer.encode(clock), partition: to, headers: own })
    }
  })
}
