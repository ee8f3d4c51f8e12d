import { encodePosition } from '../../log/position.ts'
import { SOURCE_HEADER } from '../../log/topics.ts'
import type { Codec } from '../../schemas/codecs.ts'
import { RecordWriter } from '../record-writer.ts'
import { RestatedRows } from '../restated.ts'
import type { Runner } from '../runner.ts'

export const runTable: Runner<'table'> = (node, { options, progress, cause, state, feed }) => {
  const rows = options.outputs.table(node.spec)
  const restated = state.add(node.id, 'restated', new RestatedRows(node))
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
  const writer = RecordWriter.of(codec) ?? codec
  const topic = topics[node.topic]
  feed(node.input, (slot, item) => {
    // Counted while silent too: the next to be emitted has the index that it had before.
    const index = progress.outputIndex++
    if (!progress.emitting) return
    const meter = table.series.columns.meter.get(slot)
    const position = encodePosition({ epoch, partition, offset: progress.offset, index })
    outputs.log(topic, {
      key: table.keyOf(meter),
      value: writer.encode(node.map(item) as object),
      headers: { [SOURCE_HEADER]: position },
    })
  })
}
