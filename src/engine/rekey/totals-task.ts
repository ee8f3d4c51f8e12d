import { revisionOf } from '../../kernel/ids.ts'
import type { RecordBatch } from '../../log/log.ts'
import { decodePosition } from '../../log/position.ts'
import { SOURCE_HEADER } from '../../log/topics.ts'
import type { Contribution } from '../../schemas/records.ts'
import { noCounts } from '../counts.ts'
import type { TaskCounts } from '../counts.ts'
import { schemaIdAt } from '../foreign.ts'
import type { AnyNode, TotalsNode } from '../nodes.ts'
import type { Plain, StatePart } from '../state/part.ts'
import { TASK, TaskState } from '../state/task-state.ts'
import { RestatedRows } from '../restated.ts'
import type { StreamTask } from '../stream-task.ts'
import type { TaskOptions } from '../task-options.ts'
import type { Emit } from '../windows.ts'
import type { Total } from './nodes.ts'
import { Sources } from './sources.ts'
import { TotalsState } from './totals.ts'
import { noTotalsCounts } from './totals-counts.ts'

/** A window is emitted again at most once in this much append time. */
const AGAIN_MILLIS = 1_000

/** A pipeline of stage two at work on one partition of the intermediate topic. */
export class TotalsTask implements StreamTask, StatePart {
  readonly bytes = 0
  readonly arrays = {}
  readonly counts: TaskCounts = noCounts()
  readonly totalsCounts = noTotalsCounts()
  emitting = true
  nextOffset = 0
  appendedMillis = -Infinity
  /** Not known here: a window's start is no reading's time. */
  readonly newestAt = -Infinity
  /** All that the task remembers from record to record. */
  readonly state = new TaskState()
  private readonly totals: TotalsState
  private readonly sources: Sources
  private readonly options: TaskOptions

  constructor(options: TaskOptions) {
    this.options = options
    const node = options.pipeline.nodes.find((one): one is TotalsNode => one.kind === 'totals')!
    this.sources = new Sources(options.partitions)
    this.totals = new TotalsState(node.options, this.sources, this.totalsCounts)
    this.totals.emit = this.compile(node) as TotalsState['emit']
    this.sources.addTo(this.state, node.input.id)
    this.totals.addTo(this.state, node.id)
    this.state.add(TASK, 'progress', this)
  }

  /** What a node hands its items to: maps, filters and tables are what stage two has yet. */
  private compile(node: AnyNode): Emit<never> {
    const { pipeline, outputs } = this.options
    const consumers: Emit<never>[] = []
    for (const one of pipeline.nodes) {
      if (!('input' in one) || one.input !== node) continue
      if (one.kind === 'filter') {
        const emit = this.compile(one)
        consumers.push((slot, item) => {
          if (one.keep(item)) emit(slot, item)
        })
      } else if (one.kind === 'map') {
        const emit = this.compile(one)
        consumers.push((slot, item) => emit(slot, one.make(item) as never))
      } else if (one.kind === 'table') {
        const rows = outputs.table(one.spec)
        const restated = this.state.add(one.id, 'restated', new RestatedRows(one, outputs))
        outputs.restated.push(restated)
        consumers.push((_slot, item) => {
          if (this.emitting) rows.push(one.cells, item)
          if ((item as Total).restated) restated.push(item, this.appendedMillis)
        })
      }
    }
    return (slot, item) => {
      for (const consumer of consumers) consumer(slot, item)
    }
  }

  get table() {
    return { meterCount: 0, seriesCount: this.totals.members.size }
  }

  get stateBytes(): number {
    return this.state.bytes
  }

  save(): Plain {
    return { nextOffset: this.nextOffset, appendedMillis: this.appendedMillis }
  }

  load(plain: Plain): void {
    Object.assign(this, plain)
  }

  async prepare(batch: RecordBatch): Promise<void> {
    const { contribution, control } = this.options.codecs
    for (let i = 0; i < batch.count; i++) {
      const id = schemaIdAt(batch, i)
      if (id >= 0 && id !== contribution.id && id !== control.id) await contribution.prepare(id)
    }
  }

  process(batch: RecordBatch, from = 0, to = batch.count): void {
    for (let i = from; i < to; i++) {
      const offset = batch.offsets[i]!
      if (offset < this.nextOffset) continue
      this.begin(offset, batch.appendMillis[i]!)
      // Ticks move append time, and say nothing else.
      if (schemaIdAt(batch, i) !== this.options.codecs.control.id) this.take(batch, i, offset)
      this.nextOffset = offset + 1
    }
    this.nextOffset = Math.max(this.nextOffset, to === batch.count ? batch.nextOffset : 0)
  }

  /** Append time moves before the record is taken in: what was due before it comes first. */
  private begin(offset: number, appendMillis: number): void {
    this.counts.records++
    if (appendMillis <= this.appendedMillis) return
    const before = Math.floor(this.appendedMillis / AGAIN_MILLIS)
    this.appendedMillis = appendMillis
    if (Math.floor(appendMillis / AGAIN_MILLIS) > before) {
      this.totals.emitChanged(revisionOf(this.options.epoch, offset))
    }
  }

  private take(batch: RecordBatch, i: number, offset: number): void {
    const header = batch.header(i, SOURCE_HEADER)
    const position = header === undefined ? undefined : decodePosition(header)
    const contribution = this.decode(batch, i)
    if (position === undefined || contribution === undefined) {
      this.totalsCounts.unreadable++
      return
    }
    if (!this.sources.isNew(position)) {
      this.totalsCounts.repeated++
      return
    }
    this.sources.advance(position.partition, contribution.appended)
    this.totals.take(contribution, revisionOf(this.options.epoch, offset))
  }

  private decode(batch: RecordBatch, i: number): Contribution | undefined {
    const start = batch.valueStart[i]!
    if (start < 0) return undefined
    try {
      const value = batch.bytes.subarray(start, batch.valueEnd[i])
      return this.options.codecs.contribution.decode(value)
    } catch {
      return undefined
    }
  }
}
