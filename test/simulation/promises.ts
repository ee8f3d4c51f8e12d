import { meterKey, partitionOf } from '../../src/kernel/ids.ts'
import type { CommitRequest } from '../../src/log/log.ts'
import type { Row } from '../../src/engine/memory-tables.ts'
import type { MemoryLog } from '../../src/log/memory.ts'
import { decodePosition, isPast } from '../../src/log/position.ts'
import type { SourcePosition } from '../../src/log/position.ts'
import { SOURCE_HEADER } from '../../src/log/topics.ts'
import type { Topics } from '../../src/log/topics.ts'
import { logRecords } from '../oracle/log-records.ts'
import { memoryRows } from '../oracle/memory-rows.ts'
import { oracle } from '../oracle/oracle.ts'
import { compare, explain } from '../oracle/stored.ts'
import { oracleRules } from '../support/registry.ts'
import { wrongLimits, wrongTotals } from './laws.ts'
import { Reference } from './reference.ts'
import type { Stage } from './stages.ts'
import { Violation } from './subject.ts'
import type { Subject } from './subject.ts'
import type { HeldRow, HeldTables } from './tables.ts'

/** What the engine promises, asked while all goes on and at the end. */
export class Promises {
  private readonly log: MemoryLog
  private readonly topics: Topics
  private readonly subject: Subject
  private readonly partitions: number
  private readonly tables: HeldTables
  /** By the topic that a stage reads; the first is that of the readings. */
  private readonly references: ReadonlyMap<string, Reference>
  /** Rows below the committed offsets. */
  private readonly due = new Map<string, number>()
  /** Where each output topic was read to, and the positions that it holds. */
  private readonly readTo = new Map<string, number>()
  private readonly positions = new Set<string>()
  private checking: Promise<void> = Promise.resolve()
  /** What is written now was on the wire when its sender lost its partitions, or was paused. */
  isExcused = false
  rowsCompared = 0

  constructor(
    log: MemoryLog,
    topics: Topics,
    partitions: number,
    subject: Subject,
    stages: readonly Stage[],
    tables: HeldTables,
  ) {
    this.log = log
    this.topics = topics
    this.partitions = partitions
    this.subject = subject
    this.tables = tables
    this.references = new Map(
      stages.map(({ pipeline, input }) => {
        return [input, new Reference(log, { ...subject, pipeline, input, partitions, topics })]
      }),
    )
  }

  /** Nothing older comes over what was committed. */
  onRow(key: string, { revision, text }: HeldRow): void {
    const due = this.due.get(key)
    if (due === undefined || !(revision < due)) return
    if (this.isExcused) return
    throw new Violation(`${key}: revision ${due} is committed, and an older one comes: ${text}`)
  }

  /** All that comes of the records below a committed offset is out. */
  onCommitted(requests: readonly CommitRequest[]): Promise<void> {
    this.checking = this.checking.then(() => this.checkCommitted(requests))
    return this.checking
  }

  private async checkCommitted(requests: readonly CommitRequest[]): Promise<void> {
    await this.readOutputs()
    for (const { topic, partition, offset } of requests) {
      const reference = this.references.get(topic)!
      const { rows, records } = await reference.advance(partition, offset)
      for (const key of rows) {
        const wanted = reference.rows.get(key)!
        const held = this.tables.rows.get(key)
        this.due.set(key, wanted.revision)
        if (held !== undefined && !(held.revision < wanted.revision)) continue
        const what = held === undefined ? 'no row' : `revision ${held.revision}`
        const where = `${topic} ${partition}:${offset} is committed`
        throw new Violation(`${where}, but ${key} has ${what}, not ${wanted.text}`)
      }
      const missing = records.find((record) => !this.positions.has(record))
      if (missing === undefined) continue
      throw new Violation(
        `${topic} ${partition}:${offset} is committed, but no record ${missing} is there`,
      )
    }
  }

  private outputs(): readonly string[] {
    const { readings, deadLetters, state, totalsState } = this.topics
    const others = [readings, deadLetters, state, totalsState]
    return (Object.values(this.topics) as string[]).filter((topic) => !others.includes(topic))
  }

  private async readOutputs(): Promise<void> {
    for (const topic of this.outputs()) {
      for (let partition = 0; partition < this.partitions; partition++) {
        const place = `${topic}:${partition}`
        const from = this.readTo.get(place) ?? 0
        for await (const batch of this.log.read({ topic, partition, from })) {
          this.readTo.set(place, batch.nextOffset)
          for (let i = 0; i < batch.count; i++) {
            const position = batch.header(i, SOURCE_HEADER)
            if (position !== undefined) this.positions.add(`${topic}|${position.toString('hex')}`)
          }
        }
      }
    }
  }

  /** When all is committed: what is there is what should be, in every column. */
  async checkEnd(): Promise<void> {
    await this.checking
    for (const [topic, reference] of this.references) {
      for (const [partition, end] of (await this.log.endOffsets(topic)).entries()) {
        await reference.advance(partition, end)
      }
    }
    this.checkRows()
    await this.checkRecords()
    const rules = oracleRules(this.subject.registry)
    const expected = oracle(await logRecords(this.log, this.topics.readings), rules)
    const [first] = this.references.values()
    const stored = memoryRows((table) => first!.values.rows(table))
    const found = compare(expected, stored)
    for (const { compared } of Object.values(found)) this.rowsCompared += compared
    const wrong = [explain(found), ...(await this.wrongBeside(first!))].filter(
      (text) => text !== '',
    )
    if (wrong.length === 0) return
    throw new Violation(`not what the law says:\n${wrong.join('\n').slice(0, 2_000)}`)
  }

  /** What is wrong with limits and totals. */
  private async wrongBeside(first: Reference): Promise<readonly string[]> {
    const { log, topics, subject, partitions } = this
    const place = (row: Row) =>
      partitionOf(Buffer.from(meterKey('demo', String(row['meter_id']))), partitions)
    const rows = (table: string) => first.values.rows(table)
    const limits = await wrongLimits(log, topics, subject.codecs, rows, place)
    const second = this.references.get(topics.contributions)
    if (second === undefined) return limits
    const totals = second.values.rows('totals')
    this.rowsCompared += totals.length
    return [...limits, ...(await wrongTotals(log, topics, totals))]
  }

  private checkRows(): void {
    const references = [...this.references.values()]
    for (const [key, wanted] of references.flatMap(({ rows }) => [...rows])) {
      const held = this.tables.rows.get(key)
      if (held?.text === wanted.text) continue
      throw new Violation(`${key} is ${held?.text ?? 'missing'}, and should be ${wanted.text}`)
    }
    for (const key of this.tables.rows.keys()) {
      if (references.some(({ rows }) => rows.has(key))) continue
      throw new Violation(`${key} should not be there`)
    }
    for (const row of this.tables.written) {
      if (references.some(({ texts }) => texts.has(row))) continue
      throw new Violation(`${row} should never have come`)
    }
  }

  /** As readers see the topics, which drop what they have seen. */
  private async checkRecords(): Promise<void> {
    const seen = new Map<string, SourcePosition>()
    const found = new Map<string, string[]>()
    for (const topic of this.outputs()) {
      for (let partition = 0; partition < this.partitions; partition++) {
        for await (const batch of this.log.read({ topic, partition, from: 0 })) {
          for (let i = 0; i < batch.count; i++) {
            const header = batch.header(i, SOURCE_HEADER)
            if (header === undefined) continue
            const position = decodePosition(header)!
            const source = `${topic}|${partition}|${position.partition}`
            const before = seen.get(source)
            if (before !== undefined && !isPast(position, before)) continue
            seen.set(source, position)
            const name = `${topic}|${position.partition}`
            const value = batch.bytes.subarray(batch.valueStart[i], batch.valueEnd[i])
            const list = found.get(name) ?? []
            found.set(name, list)
            list.push(`${header.toString('hex')}|${value.toString('hex')}`)
          }
        }
      }
    }
    const records = this.references.get(this.topics.readings)!.records
    for (const name of new Set([...found.keys(), ...records.keys()])) {
      const wanted = records.get(name) ?? []
      // Positions sort as their bytes do; a source partition's records lie in several partitions.
      const got = (found.get(name) ?? []).sort()
      const differs = wanted.toSorted().findIndex((record, i) => record !== got[i])
      if (differs < 0 && wanted.length === got.length) continue
      const counts = `${got.length} of ${wanted.length} records`
      throw new Violation(`${name}: readers see ${counts}, and another one at ${differs}`)
    }
  }
}
