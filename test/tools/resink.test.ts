import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { RowBatch, TableSink } from '../../src/engine/sink.ts'
import { systemClock } from '../../src/kernel/time.ts'
import { connectLog } from '../../src/log/connect.ts'
import type { Log, OutgoingRecord, ReadOptions, RecordBatch } from '../../src/log/log.ts'
import { MemoryLog } from '../../src/log/memory.ts'
import { encodePosition } from '../../src/log/position.ts'
import { SOURCE_HEADER, topicNames, topicSpecs } from '../../src/log/topics.ts'
import { loadRegistry } from '../../src/registry/files.ts'
import { startProcessor } from '../../src/roles/processor.ts'
import { loadCodecs } from '../../src/schemas/codecs.ts'
import type { Reading, WindowRecord } from '../../src/schemas/records.ts'
import { TABLES } from '../../src/schemas/tables.ts'
import { type Cell, questdbSql } from '../../src/sinks/questdb-http.ts'
import { questdbSink } from '../../src/sinks/questdb.ts'
import { RESINKABLE, type Resinkable, type ResinkOptions, resink } from '../../src/tools/resink.ts'
import { verify } from '../../src/tools/verify.ts'
import { reportLines } from '../../src/tools/verify/report.ts'
import { applied, dropTables } from '../sinks/support.ts'
import { testConfig } from '../support/config.ts'
import { testRegistry } from '../support/registry.ts'
import { startRoleInProcess } from '../support/roles.ts'
import { roughFleet } from '../support/rough-fleet.ts'

const codecs = await loadCodecs()
const names = RESINKABLE
const always = { from: -Infinity, to: Infinity }

function recordOf(reading: Reading): OutgoingRecord {
  const key = Buffer.from(`${reading.tenant}/${reading.meterId}`)
  return { key, value: codecs.reading.encode(reading) }
}

/** A real processor behind a real log, with a fleet that misbehaves in its tables. */
async function filledTables(t: TestContext) {
  const config = testConfig()
  const { questdbUrl, tablePrefix: prefix, topicPrefix, partitions } = config
  const topics = topicNames(topicPrefix)
  const log = await connectLog(config)
  t.after(async () => {
    await log.deleteTopics(Object.values(topics) as string[])
    await log.close()
    await dropTables(prefix)
  })
  await log.createTopics(topicSpecs(topics, { partitions, retentionBytes: -1 }))
  const { running, failures } = await startRoleInProcess(t, 'processor', startProcessor, config)
  const producer = await log.producer()
  const fleet = roughFleet({ seed: 11, meters: 6, minutes: 1_200, beyondHorizon: true })
  await producer.append(
    topics.readings,
    fleet.map(({ reading }) => recordOf(reading)),
  )
  await producer.close()
  const group = `${topicPrefix}${config.processorGroup}`
  const report = await verify({ log, codecs, topics, group, questdbUrl, prefix })
  assert.equal(report.agrees, true, reportLines(report).join('\n'))
  assert.deepEqual(failures, [])
  await running.stop()
  const sql = questdbSql(questdbUrl)
  const sink = questdbSink({ questdbUrl, prefix })
  t.after(() => sink.close())
  const registry = await loadRegistry(config)
  return {
    rows: async (name: Resinkable) => {
      const table = `${prefix}${name}`
      await applied(sql, table)
      const keys = TABLES[name].keys.join(', ')
      return sql.rows(`select *, cast(ts as long) at from '${table}' order by ${keys}`)
    },
    truncate: async (name: Resinkable) => {
      await sql.rows(`truncate table '${prefix}${name}'`)
      await applied(sql, `${prefix}${name}`)
    },
    resink: (table: Resinkable, range = always) =>
      resink({ table, range, log, codecs, topics, registry, epoch: config.logEpoch, sink }),
  }
}

test('every table is rebuilt as a processor wrote it, in part, whole, and twice', async (t) => {
  const tables = await filledTables(t)
  const atOf = (row: readonly Cell[]) => Number(row.at(-1))
  for (const name of names) {
    const before = await tables.rows(name)
    assert.ok(before.length > 20, `${name} has only ${before.length} rows`)
    await tables.truncate(name)
    assert.deepEqual(await tables.rows(name), [])

    // A third of the time first: the rows in it, and no others.
    const times = before.map(atOf)
    const range = { from: times[Math.floor(times.length / 3)]!, to: times.at(-1)! }
    const part = await tables.resink(name, range)
    const wanted = before.filter((row) => atOf(row) >= range.from && atOf(row) < range.to)
    assert.deepEqual(await tables.rows(name), wanted, name)
    assert.ok(part.settled)
    assert.ok(part.rows >= wanted.length && part.records > 0)
    assert.deepEqual(part.cut, [])

    await tables.resink(name)
    assert.deepEqual(await tables.rows(name), before, name)
    await tables.resink(name)
    assert.deepEqual(await tables.rows(name), before, `${name} twice`)
  }
})

/** Keeps the latest row of each identity, as a table does. */
class Rows implements TableSink {
  readonly latest = new Map<string, string>()

  write({ spec, count, columns }: RowBatch): Promise<void> {
    for (let row = 0; row < count; row++) {
      const cells = spec.columns.map(({ name }, i) => [name, columns[i]![row]] as const)
      const keys = cells.filter(([name]) => spec.keys.includes(name))
      this.latest.set(JSON.stringify(keys), JSON.stringify(cells))
    }
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

const topics = topicNames()

async function memoryLog(): Promise<MemoryLog> {
  const log = new MemoryLog(systemClock)
  await log.createTopics(topicSpecs(topics, { partitions: 1, retentionBytes: -1 }))
  return log
}

function options(table: Resinkable, log: Log, sink: TableSink): ResinkOptions {
  const registry = testRegistry()
  return { table, range: always, log, codecs, topics, registry, epoch: 0, sink }
}

/** The same log without its first records. */
function without(log: Log, first: number): Log {
  return new Proxy(log, {
    get(target, name) {
      if (name === 'beginOffsets') return () => Promise.resolve([first])
      if (name !== 'read') return Reflect.get(target, name) as unknown
      return (range: ReadOptions): AsyncIterable<RecordBatch> =>
        target.read({ ...range, from: Math.max(range.from, first) })
    },
  })
}

test('where the beginning of the log is gone, only true baselines are written', async () => {
  const log = await memoryLog()
  const quarter = 900_000_000
  for (let i = 0; i < 500; i++) {
    const value = 100 + ((i * 7_919) % 50)
    const at = 1_764_547_200_000_000 + i * quarter
    const measurements = ['power_w', 'energy_register_wh'].map((channel) => {
      return {
        channel,
        value: channel === 'power_w' ? value : 30 * i + value,
        quality: 'MEASURED' as const,
      }
    })
    const reading = { tenant: 't', meterId: 'm', at, seq: null, measurements }
    log.appendNow(topics.readings, [recordOf(reading)])
  }
  const whole = new Rows()
  const report = await resink(options('baselines', log, whole))
  assert.deepEqual(report.cut, [])
  const part = new Rows()
  const cut = await resink(options('baselines', without(log, 57), part))
  assert.equal(cut.cut[0]?.partition, 0)
  assert.match(cut.cut[0].beginsAt, /^\d{4}-/)
  assert.ok(part.latest.size > 200, String(part.latest.size))
  assert.ok(part.latest.size < whole.latest.size - 2 * 100)
  for (const [key, row] of part.latest) assert.equal(row, whole.latest.get(key))
})

test('records that repeat, or of a stale owner, do not bring old rows back', async () => {
  const log = await memoryLog()
  const window = (start: number, revision: number): WindowRecord => ({
    ...{ tenant: 't', meterId: 'm', channel: 'c', width: '15m', start, end: start + 1, count: 1 },
    ...{ expected: null, completeness: null, sum: 1, min: 1, max: 1, mean: 1, first: 1, last: 1 },
    ...{ stddev: null, energyWh: null, estimated: false, revision },
  })
  const append = (start: number, offset: number) => {
    const position = encodePosition({ epoch: 0, partition: 0, offset, index: 0 })
    const value = codecs.window.encode(window(start, offset))
    const headers = { [SOURCE_HEADER]: position }
    log.appendNow(topics.windows, [{ key: Buffer.from('t/m'), value, headers }])
  }
  append(1, 5)
  append(2, 6)
  append(1, 9)
  append(1, 5)
  append(2, 6)
  append(2, 12)
  append(1, 9)
  const rows = new Rows()
  const report = await resink(options('windows', log, rows))
  assert.deepEqual([report.records, report.rows], [7, 4])
  const revisions = [...rows.latest.values()].map((row) => /"revision",(\d+)/.exec(row)?.[1])
  assert.deepEqual(revisions, ['9', '12'])
})

test('what processors write meanwhile is taken in, and told where it never ends', async () => {
  const log = await memoryLog()
  let at = 1_764_547_200_000_000
  const append = () => {
    const measurements = [{ channel: 'c', value: 1, quality: 'MEASURED' as const }]
    const reading = { tenant: 't', meterId: 'm', at: (at += 1_000_000), seq: null, measurements }
    log.appendNow(topics.readings, [recordOf(reading)])
  }
  append()
  let more = 2
  class Busy extends Rows {
    override write(batch: RowBatch): Promise<void> {
      if (more-- > 0) append()
      return super.write(batch)
    }
  }
  const rows = new Busy()
  const report = await resink(options('readings', log, rows))
  assert.deepEqual([report.rows, report.settled, rows.latest.size], [3, true, 3])
  more = Infinity
  assert.equal((await resink(options('readings', log, new Busy()))).settled, false)
})
