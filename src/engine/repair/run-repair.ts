import { encodePosition } from '../../log/position.ts'
import { SOURCE_HEADER } from '../../log/topics.ts'
import type { AnyNode, CombineNode, Pane } from '../nodes.ts'
import type { Runner } from '../runner.ts'
import { RepairRequests } from './requests.ts'
import type { Waiting } from './requests.ts'
import { RepairResults } from './results.ts'
import { Unsettled } from './unsettled.ts'

const isPeriod = (node: AnyNode): node is CombineNode =>
  node.kind === 'combine' && node.span.kind === 'calendar'

/** Asks repair for what came too late, and emits what it answers. */
export const runRepair: Runner<'repair'> = (node, bench) => {
  const { options, progress, table, state, onClock, onLate, onFrozen, onControl } = bench
  const { codecs, topics, outputs, epoch, partition, pipeline } = options
  const requests = state.add(node.id, 'requests', new RepairRequests())
  const offset = () => progress.offset
  const periods = pipeline.nodes.filter(isPeriod)
  const { combines } = bench
  const unsettled = new Unsettled({ table, requests, periods, combines, offset })
  state.addKeyed(node.id, 'unsettled', unsettled.set)
  const results = new RepairResults(bench, unsettled)
  state.add(node.id, 'results', results.set)
  bench.onReady((ingest, silence) => results.ready(ingest, silence))
  onLate((meter, at) => requests.note(meter, at, at, progress.offset))
  onFrozen((slot, boundary) => unsettled.frozen(slot, boundary))
  for (const one of pipeline.nodes) {
    if (one.kind !== 'window' && one.kind !== 'combine') continue
    bench.feed(one, (slot: number, { start, end }: Pane) => {
      if (!results.emitting) unsettled.emitted(one.id, slot, start, end)
    })
  }
  const tell = ({ meter, from, to, offset: cause, window }: Waiting) => {
    const index = progress.outputIndex++
    if (!progress.emitting) return
    const [tenant, meterId] = [table.tenants[meter]!, table.meterIds[meter]!]
    const { channel, width } = window ?? { channel: null, width: null }
    const request = { tenant, meterId, from, to, partition, offset: cause, channel, width }
    const position = encodePosition({ epoch, partition, offset: progress.offset, index })
    outputs.log(topics[node.topic], {
      key: Buffer.from(`${tenant}/${meterId}`),
      value: codecs['repair-request'].encode(request),
      headers: { [SOURCE_HEADER]: position },
    })
  }
  onClock(() => requests.take(tell))
  onControl((control) => {
    if (control.kind !== 'repair' || control.body === null) return
    results.take(codecs['repair-result'].decode(control.body))
  })
}
