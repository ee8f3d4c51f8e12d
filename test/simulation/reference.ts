import { BatchRun } from '../../src/engine/batch.ts'
import type { BatchOptions } from '../../src/engine/batch.ts'
import { MemoryTables } from '../../src/engine/memory-tables.ts'
import { TableFeed } from '../../src/engine/tables/table-feed.ts'
import { systemScheduler } from '../../src/kernel/time.ts'
import type { MemoryLog } from '../../src/log/memory.ts'
import { SOURCE_HEADER } from '../../src/log/topics.ts'
import { rowsOf } from './tables.ts'
import type { HeldRow } from './tables.ts'

/**
 * What the log gives when nothing goes wrong: the batch run over the same records. It says which
 * rows and records must be out below any offset. Whether they are right is the oracle's matter.
 */
export class Reference {
  /** The last row of each key, below the offsets that were asked for. */
  readonly rows = new Map<string, HeldRow>()
  /** The same for the oracle, which reads values. */
  readonly values = new MemoryTables()
  /** Every row that is ever to be written, as `table|key` and its text. */
  readonly texts = new Set<string>()
  /** Records by topic and source partition, each as its position and value, in their order. */
  readonly records = new Map<string, string[]>()
  private readonly run: BatchRun
  private readonly log: MemoryLog
  private readonly input: string
  private readonly reached: number[]

  constructor(log: MemoryLog, options: BatchOptions & { readonly input: string }) {
    this.run = new BatchRun({ ...options, tables: new TableFeed(log, systemScheduler) })
    this.log = log
    this.input = options.input
    this.reached = Array.from({ length: options.partitions }, () => 0)
  }

  /** Computes a partition up to an offset. Answers what came new: keys of rows, and records. */
  async advance(partition: number, to: number): Promise<{ rows: string[]; records: string[] }> {
    const from = this.reached[partition]!
    const fresh = { rows: new Set<string>(), records: [] as string[] }
    if (to <= from) return { rows: [], records: [] }
    this.reached[partition] = to
    const range = { topic: this.input, partition, from, to }
    for await (const batch of this.log.read(range)) {
      await this.run.prepare(batch)
      this.run.feed(batch)
    }
    const { tables, logs } = this.run.emitted()
    for (const table of tables) {
      this.values.upsert(table)
      for (const [key, row] of rowsOf(table)) {
        this.rows.set(key, row)
        this.texts.add(`${key}>${row.text}`)
        fresh.rows.add(key)
      }
    }
    for (const [topic, records] of logs) {
      const name = `${topic}|${partition}`
      const list = this.records.get(name) ?? []
      this.records.set(name, list)
      for (const { headers, value } of records) {
        const position = headers![SOURCE_HEADER]!.toString('hex')
        fresh.records.push(`${topic}|${position}`)
        list.push(`${position}|${value!.toString('hex')}`)
      }
    }
    return { rows: [...fresh.rows], records: fresh.records }
  }
}
