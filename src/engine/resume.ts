import { LIMITS } from '../kernel/limits.ts'
import { partitionOf } from '../kernel/ids.ts'
import type { Log, OutgoingRecord, RecordBatch } from '../log/log.ts'
import { isPast, positionOf, type SourcePosition } from '../log/position.ts'
import { SOURCE_HEADER, type Topics } from '../log/topics.ts'
import type { Pipeline } from './dsl.ts'

/** The input partition that resumes, and how far it is committed. */
export interface Source {
  readonly epoch: number
  readonly partition: number
  readonly committed: number
}

const LOOK_FIRST = 64
const EMPTY = Buffer.alloc(0)

/**
 * The last position of an input partition in an output partition: all that it gave to it up to
 * there is in the log, since a producer keeps the order of its appends. Looked for from the end
 * backwards, until a record comes that was committed; undefined where there is none that is not,
 * or where it lies too far back (then records are appended again, and readers drop them).
 */
export async function lastPosition(
  log: Log,
  topic: string,
  partition: number,
  source: Source,
): Promise<SourcePosition | undefined> {
  for (let count = LOOK_FIRST; ; count *= 32) {
    const batch = await log.readEnd(topic, partition, count)
    const { last, isEnough } = newest(batch, source)
    const isAll = batch.count < count
    if (isEnough || isAll) return last
    if (count >= LIMITS.engineResumeRecordsMax) return last
  }
}

/** Walks the records from the last to the first one that is committed. */
function newest(
  batch: RecordBatch,
  source: Source,
): { last: SourcePosition | undefined; isEnough: boolean } {
  let last: SourcePosition | undefined
  for (let i = batch.count - 1; i >= 0; i--) {
    const position = positionOf(batch.header(i, SOURCE_HEADER))
    if (position === undefined || position.partition !== source.partition) continue
    const isCommitted = position.epoch < source.epoch || position.offset < source.committed
    if (isCommitted) return { last, isEnough: true }
    if (last === undefined || isPast(position, last)) last = position
  }
  return { last, isEnough: false }
}

/** A topic that the pipeline appends to, and by which kind of node. */
export interface Output {
  readonly topic: string
  readonly kind: 'log' | 'rekey'
}

/** Drops the records of one output topic that are in the log already. */
export class ResumeFilter {
  private readonly last: ReadonlyMap<number, SourcePosition>
  private readonly partitions: number
  private readonly offsetMax: number

  /** @param last By output partition: the last position that it has of the input partition. */
  constructor(last: ReadonlyMap<number, SourcePosition>, partitions: number) {
    this.last = last
    this.partitions = partitions
    this.offsetMax = Math.max(...[...last.values()].map(({ offset }) => offset))
  }

  drops(record: OutgoingRecord): boolean {
    const position = positionOf(record.headers?.[SOURCE_HEADER])
    if (position === undefined || position.offset > this.offsetMax) return false
    const { partition = partitionOf(record.key ?? EMPTY, this.partitions) } = record
    const last = this.last.get(partition)
    return last !== undefined && !isPast(position, last)
  }
}

/**
 * What a task that resumes need not append again, by topic. A topic with as many partitions as the
 * input and the same keys has a task's records in the partition of the same number; of any other
 * topic all partitions are looked at.
 */
export async function resumeFilters(
  log: Log,
  outputs: Iterable<Output>,
  source: Source & { readonly partitions: number },
): Promise<ReadonlyMap<string, ResumeFilter>> {
  const filters = new Map<string, ResumeFilter>()
  for (const { topic, kind } of outputs) {
    if (filters.has(topic)) continue
    const partitions = await log.partitionCount(topic)
    const all = Array.from({ length: partitions }, (_, partition) => partition)
    const isAlike = kind === 'log' && partitions === source.partitions
    const places = isAlike ? [source.partition] : all
    const last = new Map<number, SourcePosition>()
    for (const partition of places) {
      const position = await lastPosition(log, topic, partition, source)
      if (position !== undefined) last.set(partition, position)
    }
    if (last.size > 0) filters.set(topic, new ResumeFilter(last, partitions))
  }
  return filters
}

/** The filters of all that a pipeline appends to. */
export function filtersOf(
  log: Log,
  { nodes }: Pipeline,
  topics: Topics,
  source: Source & { readonly partitions: number },
): Promise<ReadonlyMap<string, ResumeFilter>> {
  const outputs = nodes.flatMap((node) =>
    node.kind === 'log' || node.kind === 'rekey'
      ? [{ topic: topics[node.topic], kind: node.kind }]
      : [],
  )
  return resumeFilters(log, outputs, source)
}
