import { LIMITS } from '../../kernel/limits.ts'
import type { Scheduler } from '../../kernel/time.ts'
import type { Log } from '../../log/log.ts'
import { isRetryable } from '../../log/patience.ts'
import { engineErrors } from '../errors.ts'

export interface TableRecord {
  readonly offset: number
  readonly key: string
  readonly value: string | null
}

/** The records of one table's topic, as far as this process has read them. */
export interface TableRecords {
  /** Those in [from, to), ascending. */
  between(from: number, to: number): Iterable<TableRecord>
}

/**
 * The topics of lookup tables, read once for all tasks of a process, before a task needs them: a
 * task itself asks nobody. They are small, and stay in memory.
 */
export class TableFeed {
  private readonly log: Log
  private readonly scheduler: Scheduler
  private readonly topics = new Map<string, TopicCopy>()

  constructor(log: Log, scheduler: Scheduler) {
    this.log = log
    this.scheduler = scheduler
  }

  records(topic: string): TableRecords {
    return this.copyOf(topic)
  }

  private copyOf(topic: string): TopicCopy {
    let copy = this.topics.get(topic)
    if (copy === undefined) {
      copy = new TopicCopy(this.log, topic)
      this.topics.set(topic, copy)
    }
    return copy
  }

  /** Reads a topic on until all below `offset` is here. Tries for as long as the log is away. */
  async upTo(topic: string, offset: number): Promise<void> {
    const copy = this.copyOf(topic)
    while (copy.offset < offset) {
      try {
        await copy.readOn(offset)
      } catch (error) {
        if (!isRetryable(error)) throw error
        await this.scheduler.sleep(LIMITS.tableRetryMs)
      }
    }
  }
}

class TopicCopy implements TableRecords {
  /** All below it is here. */
  offset = 0
  private readonly log: Log
  private readonly topic: string
  private readonly records: TableRecord[] = []
  private reading: Promise<void> | undefined

  constructor(log: Log, topic: string) {
    this.log = log
    this.topic = topic
  }

  *between(from: number, to: number): Iterable<TableRecord> {
    const { records } = this
    let [low, high] = [0, records.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (records[middle]!.offset < from) low = middle + 1
      else high = middle
    }
    for (; low < records.length && records[low]!.offset < to; low++) yield records[low]!
  }

  /** One at a time: partitions that wait for the same records share the reading. */
  readOn(to: number): Promise<void> {
    this.reading ??= this.read(to).finally(() => {
      this.reading = undefined
    })
    return this.reading
  }

  private async read(to: number): Promise<void> {
    const { topic, records, log } = this
    // A topic that was made anew may end before what was said of the old one.
    const [end = 0] = await log.endOffsets(topic)
    const range = { topic, partition: 0, from: this.offset, to: Math.min(to, end) }
    for await (const batch of log.read(range)) {
      for (let i = 0; i < batch.count; i++) {
        const [keyStart, valueStart] = [batch.keyStart[i]!, batch.valueStart[i]!]
        if (keyStart < 0) continue
        if (records.length >= LIMITS.tableRecordsMax) {
          throw engineErrors.tableTooLarge({ topic, max: LIMITS.tableRecordsMax })
        }
        const text = (from: number, end: number) => batch.bytes.toString('utf8', from, end)
        const value = valueStart < 0 ? null : text(valueStart, batch.valueEnd[i]!)
        records.push({ offset: batch.offsets[i]!, key: text(keyStart, batch.keyEnd[i]!), value })
      }
      this.offset = Math.max(this.offset, Math.min(batch.nextOffset, to))
    }
    // The last ones may be compacted away.
    this.offset = Math.max(this.offset, to)
  }
}
