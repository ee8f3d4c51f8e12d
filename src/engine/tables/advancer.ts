import { LIMITS } from '../../kernel/limits.ts'
import type { Logger } from 'pino'
import { systemScheduler } from '../../kernel/time.ts'
import type { Scheduler } from '../../kernel/time.ts'
import { controlRecord } from '../../log/control.ts'
import type { Log, OutgoingRecord, Producer } from '../../log/log.ts'
import { tableTopic, tableTopicSpec } from '../../log/topics.ts'
import type { Topics } from '../../log/topics.ts'
import type { Codec, Codecs } from '../../schemas/codecs.ts'
import type { ControlRecord } from '../../schemas/records.ts'
import type { Lane } from '../lane.ts'
import type { Pipeline } from '../pipeline.ts'

/** Who is told: the partitions of this process. */
export interface Told {
  readonly producer: Producer
  readonly lanes: () => Iterable<Lane>
  readonly generation: () => number
}

export interface FollowOptions {
  readonly log: Log
  readonly pipeline: Pipeline
  readonly topics: Topics
  /** The topic of readings. */
  readonly input: string
  readonly codecs: Codecs
  readonly scheduler?: Scheduler
  readonly logger?: Logger
}

/** Tells our partitions of what is new in the pipeline's tables, until `signal` is aborted. */
export async function followTables(
  options: FollowOptions,
  told: Told,
  signal: AbortSignal,
): Promise<void> {
  const { log, pipeline, topics, input, codecs, logger, scheduler = systemScheduler } = options
  const tables = new Set<string>()
  for (const node of pipeline.nodes) {
    if (node.kind === 'lookup-table') tables.add(tableTopic(topics, node.table.topic))
  }
  if (tables.size === 0) return
  await log.createTopics([...tables].map(tableTopicSpec))
  const onTrouble = (error: unknown) => {
    logger?.warn({ err: error }, 'tables: nobody could be told of what is new; it is tried again')
  }
  const codec = codecs.control
  const given = { ...told, log, scheduler, tables: [...tables], input, codec, onTrouble }
  void new TableAdvancer(given).run(signal)
}

interface AdvancerOptions extends Told {
  readonly log: Log
  readonly scheduler: Scheduler
  readonly tables: readonly string[]
  readonly input: string
  readonly codec: Codec<ControlRecord>
  readonly onTrouble: (error: unknown) => void
}

/**
 * What tells the partitions of this process that a table has new records: an `advance` among the
 * readings, before which no task looks at them. One that comes twice, or from an owner of before,
 * changes nothing: a view never goes back.
 */
class TableAdvancer {
  private readonly options: AdvancerOptions
  /** By lane and table: the offset that was appended last. */
  private readonly appended = new WeakMap<Lane, Map<string, number>>()

  constructor(options: AdvancerOptions) {
    this.options = options
  }

  /** Goes on until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { scheduler, onTrouble } = this.options
    while (!signal.aborted) {
      try {
        await this.look()
      } catch (error) {
        onTrouble(error)
      }
      await scheduler.sleep(LIMITS.tableCheckMs, signal)
    }
  }

  private async look(): Promise<void> {
    const { log, producer, input, tables } = this.options
    for (const table of tables) {
      const [end = 0] = await log.endOffsets(table)
      const behind = this.behind(table, end)
      if (behind.length === 0) continue
      await producer.append(
        input,
        behind.map(({ owned }) => this.record(table, end, owned.partition, owned.generation)),
      )
      for (const lane of behind) this.appendedOf(lane).set(table, end)
    }
  }

  /** Lanes that are ours now, and that were not told yet. */
  private behind(table: string, end: number): Lane[] {
    const generation = this.options.generation()
    return [...this.options.lanes()].filter((lane) => {
      if (lane.lost || lane.owned.generation !== generation) return false
      const known = lane.task.tableOffset?.(table) ?? end
      return end > Math.max(known, this.appendedOf(lane).get(table) ?? 0)
    })
  }

  private appendedOf(lane: Lane): Map<string, number> {
    let appended = this.appended.get(lane)
    if (appended === undefined) {
      appended = new Map()
      this.appended.set(lane, appended)
    }
    return appended
  }

  private record(
    table: string,
    offset: number,
    partition: number,
    generation: number,
  ): OutgoingRecord {
    const source = `owner of partition ${partition} in generation ${generation}`
    const advance = { kind: 'advance', source, table, offset, body: null }
    return controlRecord(this.options.codec, advance, partition)
  }
}
