import { revisionOf } from '../../kernel/ids.ts'
import type { RecordBatch } from '../../log/log.ts'
import { decodePosition, type SourcePosition } from '../../log/position.ts'
import { CONTROL_HEADER, SOURCE_HEADER } from '../../log/topics.ts'
import type { Codecs } from '../../schemas/codecs.ts'
import type { Reading } from '../../schemas/records.ts'
import type { LiveTopic } from '../contract/live.ts'
import { anomalyItem, type LiveItem, readingItem, windowItem } from './item.ts'
import type { PartitionPlace } from './position.ts'

/** What one record of the log tells a feed. */
export interface LiveRecord {
  readonly items: readonly LiveItem[]
  readonly reading: Reading | undefined
}

const NOTHING: LiveRecord = { items: [], reading: undefined }

/** @throws schemas.notConfluent, schemas.unknownId, schemas.damaged */
export function recordOf(
  codecs: Codecs,
  topic: LiveTopic,
  batch: RecordBatch,
  i: number,
): LiveRecord {
  const start = batch.valueStart[i]!
  if (start < 0) return NOTHING
  if (topic === 'readings' && batch.header(i, CONTROL_HEADER) !== undefined) return NOTHING
  const value = batch.bytes.subarray(start, batch.valueEnd[i])
  switch (topic) {
    case 'readings': {
      const reading = codecs.reading.decode(value)
      const items = reading.measurements.map((measurement) => readingItem(reading, measurement))
      return { items, reading }
    }
    case 'windows':
      return { items: [windowItem(codecs.window.decode(value))], reading: undefined }
    case 'anomalies':
      return { items: [anomalyItem(codecs.anomaly.decode(value))], reading: undefined }
  }
}

function sourceOf(batch: RecordBatch, i: number): SourcePosition | undefined {
  const bytes = batch.header(i, SOURCE_HEADER)
  return bytes === undefined ? undefined : decodePosition(bytes)
}

/**
 * Walks the records of a partition and knows which of them it has seen: a processor that was killed
 * writes again what it had written, under the same source positions.
 */
export class PartitionReader {
  next: number
  private sourceOffset: number
  private sourceIndex: number

  constructor({ next, sourceOffset, sourceIndex }: PartitionPlace) {
    this.next = next
    this.sourceOffset = sourceOffset
    this.sourceIndex = sourceIndex
  }

  get place(): PartitionPlace {
    const { next, sourceOffset, sourceIndex } = this
    return { next, sourceOffset, sourceIndex }
  }

  /** Whether record `i` is news; what lies before `next` is none. */
  take(batch: RecordBatch, i: number, topic: LiveTopic): boolean {
    const offset = batch.offsets[i]!
    if (offset < this.next) return false
    this.next = offset + 1
    if (topic === 'readings') return true
    const source = sourceOf(batch, i)
    if (source === undefined) return true
    const sourceOffset = revisionOf(source.epoch, source.offset)
    const isPast =
      sourceOffset > this.sourceOffset ||
      (sourceOffset === this.sourceOffset && source.index > this.sourceIndex)
    if (isPast) {
      this.sourceOffset = sourceOffset
      this.sourceIndex = source.index
    }
    return isPast
  }
}
