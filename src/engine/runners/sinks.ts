import type { Codec } from '../../schemas/codecs.ts'
import { RecordWriter } from '../record-writer.ts'
import { RestatedRows } from '../restated.ts'
import type { Runner } from '../runner.ts'

export const runTable: Runner<'table'> = (node, { options, progress, cause, state, feed }) => {
  const rows = options.outputs.table(node.spec)
  const restated = state.add(node.id, 'restated', new RestatedRows(node, options.outputs))
  options.outputs.restated.push(restated)
  feed(node.input, (_slot, item) => {
    if (progress.emitting) rows.push(node.cells, item)
    // While silent too: whoever takes over writes again what its predecessors restated.
    if (cause.restating) restated.push(item, progress.appendedMillis)
  })
}

export const runLog: Runner<'log'> = (node, { options, progress, table, feed }) => {
  const { codecs, topics, outputs, epoch, partition } = options
  const codec = codecs[node.record] as Codec<unknown>
  const writer = RecordWriter.of(codec)
  const records = outputs.records(topics[node.topic])
  feed(node.input, (slot, item) => {
    // Counted while silent too: the next to be emitted has the index that it had before.
    const index = progress.outputIndex++
    if (!progress.emitting) return
    records.begin(epoch, partition, progress.offset, index)
    records.key(table.meterKeys, table.series.columns.meter.get(slot))
    const record = node.map(item) as object
    if (writer === undefined) records.slab.put(codec.encode(record))
    else writer.writeTo(records.slab, record)
    records.end()
  })
}
