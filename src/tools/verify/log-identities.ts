import type { Log } from '../../log/log.ts'
import { type Codecs, WIRE_HEADER_BYTES, schemaIdOf } from '../../schemas/codecs.ts'
import { ReadingCursor } from '../../schemas/reading-cursor.ts'
import type { Micros } from '../../kernel/time.ts'
import { IdentityHash } from './identity-hash.ts'
import type { Identity } from './report.ts'

/** Offsets of each partition of a topic, [from, to). */
export interface Range {
  readonly from: readonly number[]
  readonly to: readonly number[]
}

/** What a walk over the readings has met. */
export class LogCounts {
  records = 0
  readings = 0
  measurements = 0
  controls = 0
  /** Neither readings nor control records, or damaged ones: the engine leaves them out too. */
  unreadable = 0
  atMin: Micros = Infinity
  atMax: Micros = -Infinity
}

export interface LogVisit {
  /** One measurement; `name` makes its identity readable, and costs. */
  (hash: IdentityHash, partition: number, name: () => Identity): void
}

export interface LogWalk {
  readonly log: Log
  readonly codecs: Codecs
  readonly topic: string
  readonly range: Range
  readonly visit: LogVisit
  /** Called now and then with the records done. */
  readonly progress?: (records: number) => void
  /** Ends the walk early. */
  readonly stop?: () => boolean
}

/** Walks over all measurements of a range of the readings topic. */
export async function walkLog(walk: LogWalk): Promise<LogCounts> {
  const { log, topic, range } = walk
  const counts = new LogCounts()
  const reader = new MeasurementReader(walk, counts)
  for (const [partition, to] of range.to.entries()) {
    const from = range.from[partition] ?? 0
    if (from >= to) continue
    for await (const batch of log.read({ topic, partition, from, to })) {
      for (let i = 0; i < batch.count; i++) {
        reader.take(partition, batch.bytes, batch.valueStart[i]!, batch.valueEnd[i]!)
      }
      walk.progress?.(counts.records)
      if (walk.stop?.() === true) return counts
    }
  }
  return counts
}

class MeasurementReader {
  private readonly cursor = new ReadingCursor()
  private readonly hash = new IdentityHash()
  private readonly walk: LogWalk
  private readonly counts: LogCounts

  constructor(walk: LogWalk, counts: LogCounts) {
    this.walk = walk
    this.counts = counts
  }

  take(partition: number, bytes: Buffer, start: number, end: number): void {
    const { counts, cursor, walk } = this
    const { codecs } = walk
    counts.records++
    const id = start < 0 ? -1 : schemaIdOf(bytes.subarray(start, end))
    if (id === codecs.control.id) {
      counts.controls++
      return
    }
    const isReading = id === codecs.reading.id
    if (!isReading || !cursor.open(bytes, start + WIRE_HEADER_BYTES, end)) {
      counts.unreadable++
      return
    }
    counts.readings++
    const { hash } = this
    const { tenantStart, tenantEnd, meterStart, meterEnd, atMicros } = cursor
    if (atMicros < counts.atMin) counts.atMin = atMicros
    if (atMicros > counts.atMax) counts.atMax = atMicros
    hash.begin()
    hash.text(bytes, tenantStart, tenantEnd)
    hash.text(bytes, meterStart, meterEnd)
    hash.keep()
    const name = () => nameOf(cursor, bytes)
    while (cursor.next()) {
      counts.measurements++
      hash.back()
      hash.text(bytes, cursor.channelStart, cursor.channelEnd)
      hash.end(atMicros)
      walk.visit(hash, partition, name)
    }
    if (cursor.damaged) counts.unreadable++
  }
}

function nameOf(cursor: ReadingCursor, bytes: Buffer): Identity {
  return {
    tenant: bytes.toString('utf8', cursor.tenantStart, cursor.tenantEnd),
    meterId: bytes.toString('utf8', cursor.meterStart, cursor.meterEnd),
    channel: bytes.toString('utf8', cursor.channelStart, cursor.channelEnd),
    at: cursor.atMicros,
  }
}
