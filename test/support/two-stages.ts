import type { Driver } from '../../src/engine/driver.ts'
import type { Row } from '../../src/engine/memory-tables.ts'
import { TotalsTask } from '../../src/engine/rekey/totals-task.ts'
import { Outputs } from '../../src/engine/rows.ts'
import type { RowBatch } from '../../src/engine/sink.ts'
import { topicNames } from '../../src/log/topics.ts'
import { loadCodecs } from '../../src/schemas/codecs.ts'
import { totalsPipeline } from '../../topologies/totals.ts'
import { testRegistry } from './registry.ts'

const codecs = await loadCodecs()
const topics = topicNames()

/** The second stage on the log of a driver that runs the first. */
export class SecondStage {
  /** The last row of each key. */
  readonly rows = new Map<string, Row>()
  readonly emitted: Row[] = []
  private readonly driver: Driver
  private readonly partitions: number
  private readonly batchRecords: number
  private outputs = new Outputs()
  tasks: TotalsTask[] = []

  constructor(driver: Driver, options: { partitions: number; batchRecords?: number }) {
    this.driver = driver
    this.partitions = options.partitions
    this.batchRecords = options.batchRecords ?? 500
    this.makeTasks()
  }

  private makeTasks(): void {
    const { partitions } = this
    this.outputs = new Outputs()
    const given = {
      ...{ pipeline: totalsPipeline, partitions, epoch: 0, registry: testRegistry() },
      ...{ codecs, topics, outputs: this.outputs },
    }
    this.tasks = Array.from(
      { length: partitions },
      (_, partition) => new TotalsTask({ ...given, partition }),
    )
  }

  async run(): Promise<this> {
    for (const [partition, task] of this.tasks.entries()) {
      const range = { topic: topics.contributions, partition, from: task.nextOffset }
      for await (const batch of this.driver.log.read(range)) {
        for (let at = 0; at < batch.count; at += this.batchRecords) {
          task.process(batch, at, Math.min(batch.count, at + this.batchRecords))
          for (const rows of this.outputs.take().tables) this.store(rows)
        }
      }
    }
    return this
  }

  async crashAndRestore(): Promise<this> {
    const reached = this.tasks.map(({ nextOffset }) => nextOffset)
    this.makeTasks()
    for (const [partition, task] of this.tasks.entries()) {
      task.emitting = false
      const range = { topic: topics.contributions, partition, from: 0, to: reached[partition]! }
      for await (const batch of this.driver.log.read(range)) task.process(batch)
      task.emitting = true
    }
    return this
  }

  private store({ spec, count, columns }: RowBatch): void {
    for (let i = 0; i < count; i++) {
      const row: Record<string, number | boolean | string | undefined> = {}
      spec.columns.forEach(({ name, type }, c) => {
        const value = columns[c]![i]
        row[name] = type === 'boolean' ? value === 1 : value
      })
      this.emitted.push(row)
      this.rows.set(spec.keys.map((key) => String(row[key])).join('|'), row)
    }
  }
}
