import { encodePosition } from '../../log/position.ts'
import { SOURCE_HEADER } from '../../log/topics.ts'
import type { Runner } from '../runner.ts'
import { RepairRequests } from './requests.ts'
import { RepairResults } from './results.ts'

/** Asks repair for what came too late, and emits what it answers. */
export const runRepair: Runner<'repair'> = (node, bench) => {
  const { options, progress, table, state, onClock, onLate, onControl } = bench
  const { codecs, topics, outputs, epoch, partition } = options
  const requests = state.add(node.id, 'requests', new RepairRequests())
  const results = new RepairResults(bench)
  state.add(node.id, 'results', results.set)
  onLate((meter, at) => requests.note(meter, at, progress.offset))
  onClock(() => {
    requests.take(({ meter, from, to, offset }) => {
      const index = progress.outputIndex++
      if (!progress.emitting) return
      const [tenant, meterId] = [table.tenants[meter]!, table.meterIds[meter]!]
      const request = { tenant, meterId, from, to, partition, offset }
      const position = encodePosition({ epoch, partition, offset: progress.offset, index })
      outputs.log(topics[node.topic], {
        key: Buffer.from(`${tenant}/${meterId}`),
        value: codecs['repair-request'].encode(request),
        headers: { [SOURCE_HEADER]: position },
      })
    })
  })
  onControl((control) => {
    if (control.kind !== 'repair' || control.body === null) return
    results.take(codecs['repair-result'].decode(control.body))
  })
}
