import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/kernel/time.ts'
import type { OutgoingRecord, ReadOptions, RecordBatch } from '../../src/log/log.ts'
import { MemoryLog } from '../../src/log/memory.ts'
import { topicNames, topicSpecs } from '../../src/log/topics.ts'
import { loadCodecs } from '../../src/schemas/codecs.ts'
import { TABLES } from '../../src/schemas/tables.ts'
import { type QuestdbSink, questdbSink } from '../../src/sinks/questdb.ts'
import type { QuestdbSql } from '../../src/sinks/questdb-http.ts'
import { type Ledger, openLedger } from '../../src/tools/ledger.ts'
import { type VerifyOptions, verify } from '../../src/tools/verify.ts'
import type { VerifyReport } from '../../src/tools/verify/report.ts'
import { batchOf, questdbUrl, testTables } from '../sinks/support.ts'
import type { Scope } from '../support/database.ts'

export const AT = 1_764_547_200_000_000
export const MINUTE = 60_000_000
export const PARTITIONS = 3

const GROUP = 'g'
const topics = topicNames()
const codecs = await loadCodecs()
const tick = { kind: 'tick', source: 'test', table: null, offset: null, body: null }

/** A reading of tenant `t`; where it names no channels, `a` and `b`. */
export interface Given {
  readonly meterId: string
  readonly at: number
  readonly channels?: readonly string[]
}

export const channelsOf = ({ channels = ['a', 'b'] }: Given): readonly string[] => channels

/** Meters with names of every kind of character that a name may have. */
export const fleet = (meters: number, minutes: number): Given[] =>
  Array.from({ length: meters * minutes }, (_, i) => {
    return { meterId: `m "${i % meters}", \\`, at: AT + Math.floor(i / meters) * 37 * MINUTE }
  })

/** The memory log, with what retention does: records below a first offset are gone. */
class RetainedLog extends MemoryLog {
  private readonly first = new Map<string, number>()

  deleteBelow(topic: string, partition: number, offset: number): void {
    this.first.set(`${topic}:${partition}`, offset)
  }

  private firstOf(topic: string, partition: number): number {
    return this.first.get(`${topic}:${partition}`) ?? 0
  }

  override async beginOffsets(topic: string): Promise<readonly number[]> {
    const begins = await super.beginOffsets(topic)
    return begins.map((_, partition) => this.firstOf(topic, partition))
  }

  override read(options: ReadOptions): AsyncIterable<RecordBatch> {
    const from = Math.max(options.from, this.firstOf(options.topic, options.partition))
    return super.read({ ...options, from })
  }
}

/**
 * A log in memory, tables in a real QuestDB, and a ledger in a file: a test fills each as it likes.
 */
export class Scene {
  readonly sql: QuestdbSql
  readonly table: string
  readonly ledgerPath: string
  private readonly log: RetainedLog
  private readonly sink: QuestdbSink
  private readonly prefix: string

  private constructor(
    log: RetainedLog,
    tables: { prefix: string; sql: QuestdbSql },
    folder: string,
  ) {
    this.log = log
    this.prefix = tables.prefix
    this.sql = tables.sql
    this.table = `${tables.prefix}${TABLES.readings.table}`
    this.sink = questdbSink({ questdbUrl, prefix: tables.prefix })
    this.ledgerPath = join(folder, 'ledger.jsonl')
  }

  static async open(scope: Scope): Promise<Scene> {
    const tables = await testTables(scope)
    const log = new RetainedLog(systemClock)
    await log.createTopics(topicSpecs(topics, { partitions: PARTITIONS, retentionBytes: -1 }))
    const folder = mkdtempSync(join(tmpdir(), 'meterloom-verify-'))
    const scene = new Scene(log, tables, folder)
    scope.after(async () => {
      await scene.sink.close()
      rmSync(folder, { recursive: true })
    })
    return scene
  }

  append(readings: readonly Given[]): void {
    this.appendRecords(
      readings.map((given) => {
        const { meterId, at } = given
        const measurements = channelsOf(given).map((channel) => {
          return { channel, value: 1, quality: 'MEASURED' as const }
        })
        const value = codecs.reading.encode({ tenant: 't', meterId, at, seq: null, measurements })
        return { key: Buffer.from(`t/${meterId}`), value }
      }),
    )
  }

  appendRecords(records: readonly OutgoingRecord[]): void {
    this.log.appendNow(topics.readings, records)
  }

  appendTick(partition: number): void {
    this.appendRecords([{ key: null, value: codecs.control.encode(tick), partition }])
  }

  async store(readings: readonly Given[]): Promise<void> {
    const rows = readings.flatMap((given) =>
      channelsOf(given).map((channel) => {
        return { ts: given.at, tenant: 't', meter_id: given.meterId, channel, value: 1 }
      }),
    )
    await this.sink.write(batchOf(TABLES.readings, rows))
  }

  deadLetter(payload: Buffer, element: number | null, reason: string): void {
    const value = codecs['dead-letter'].encode({
      receivedAt: AT,
      source: 'listener',
      mqttTopic: 'fleet/t/m/readings',
      clientId: 'c',
      tenant: 't',
      meterId: 'm',
      reason,
      detail: '',
      element,
      length: payload.length,
      sha256: createHash('sha256').update(payload).digest('hex'),
      bytes: payload,
    })
    this.log.appendNow(topics.deadLetters, [{ key: null, value, partition: 0 }])
  }

  /** What processors do when they have done everything. */
  async commit(): Promise<void> {
    const subscription = await this.log.subscribe({
      group: GROUP,
      topics: [topics.readings],
      onAssigned: () => Promise.resolve(new Map()),
      onRevoked: () => Promise.resolve(),
      onBatch: () => Promise.resolve(),
      onFailed: (error) => {
        throw error
      },
    })
    const ends = await this.log.endOffsets(topics.readings)
    while (subscription.generation < 0) await new Promise((resolve) => setImmediate(resolve))
    const { generation } = subscription
    const topic = topics.readings
    await subscription.commit(
      ends.map((offset, partition) => ({ topic, partition, offset, generation })),
    )
    await subscription.close()
  }

  /** What retention does to a partition of the readings. */
  deleteBelow(partition: number, offset: number): void {
    this.log.deleteBelow(topics.readings, partition, offset)
  }

  ledger(write: (ledger: Ledger) => void): void {
    const ledger = openLedger(this.ledgerPath)
    write(ledger)
    ledger.close()
  }

  verify(more: Partial<VerifyOptions> = {}): Promise<VerifyReport> {
    const { log, prefix } = this
    const patienceMs = 5_000
    return verify({ log, codecs, topics, group: GROUP, questdbUrl, prefix, patienceMs, ...more })
  }
}
