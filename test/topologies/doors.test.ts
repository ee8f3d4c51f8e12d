import assert from 'node:assert/strict'
import test from 'node:test'
import { BatchRun } from '../../src/engine/batch.ts'
import type { BatchEntry, BatchOutput } from '../../src/engine/batch.ts'
import { MemoryTables } from '../../src/engine/memory-tables.ts'
import { MICROS_PER_MILLI, seconds } from '../../src/kernel/time.ts'
import { meterKey } from '../../src/kernel/ids.ts'
import { loadCodecs } from '../../src/schemas/codecs.ts'
import type { Reading } from '../../src/schemas/records.ts'
import { pipeline } from '../../topologies/index.ts'
import { drive, sorted } from '../support/drive.ts'
import { testRegistry } from '../support/registry.ts'
import { roughFleet } from '../support/rough-fleet.ts'

// The doors of one engine: what a log gives through the runtime and through the batch run.

const codecs = await loadCodecs()
const TABLES = ['readings', 'windows', 'baselines', 'anomalies']
/** Made of offsets, which another count of partitions numbers anew. */
const POSITIONS = ['revision']

/** A misbehaving fleet in portions, and by how much append time goes on after each. */
const portions: readonly { readonly readings: readonly Reading[]; readonly micros: number }[] =
  (() => {
    const sent = roughFleet({ seed: 5, meters: 5, minutes: 900, beyondHorizon: true })
    const made = []
    for (let at = 0; at < sent.length; at += 60) {
      const readings = sent.slice(at, at + 60).map(({ reading }) => reading)
      made.push({ readings, micros: seconds(at % 120 === 0 ? 4 : 13) })
    }
    return [...made, { readings: [], micros: seconds(30) }]
  })()

async function driven(partitions: number) {
  const driver = drive({ partitions })
  for (const { readings, micros } of portions) driver.append(readings).advanceAppendTime(micros)
  return driver.run()
}

function* entries(beginMicros: number): Generator<BatchEntry> {
  let micros = beginMicros
  for (const { readings, micros: passed } of portions) {
    for (const reading of readings) yield { appendMillis: micros / MICROS_PER_MILLI, reading }
    micros += passed
    yield { appendMillis: micros / MICROS_PER_MILLI }
  }
}

function batchRun(partitions: number) {
  const { clock } = drive()
  const run = new BatchRun({ pipeline, registry: testRegistry(), codecs, partitions })
  const tables = new MemoryTables()
  const logs = new Map<string, string[]>()
  const take = (output: BatchOutput) => {
    for (const batch of output.tables) tables.upsert(batch)
    for (const [topic, records] of output.logs) {
      const list = logs.get(topic) ?? []
      logs.set(topic, list)
      for (const { value } of records) list.push(value!.toString('hex'))
    }
  }
  // In parts, as files are read.
  let part: BatchEntry[] = []
  for (const entry of entries(clock.micros)) {
    part.push(entry)
    if (part.length < 777) continue
    take(run.take(part))
    part = []
  }
  take(run.take(part))
  return { tables, logs }
}

const straight = await driven(1)

for (const partitions of [1, 3, 8]) {
  test(`${partitions} partitions: the runtime and the batch run give the same bytes`, async () => {
    const driver = await driven(partitions)
    const { tables, logs } = batchRun(partitions)
    for (const table of TABLES) {
      const expected = sorted(driver.rows(table))
      assert.ok(expected.length > 0, `the test must reach ${table}`)
      assert.deepEqual(sorted(tables.rows(table)), expected, table)
    }
    for (const topic of ['windows', 'anomalies'] as const) {
      const codec = topic === 'windows' ? codecs.window : codecs.anomaly
      const records = (driver.records.get(topic) ?? []) as never[]
      const expected = records.map((record) => codec.encode(record).toString('hex'))
      assert.ok(expected.length > 0, `the test must reach ${topic}`)
      assert.deepEqual(logs.get(topic)!.toSorted(), expected.sort(), topic)
    }
  })

  test(`${partitions} partitions: the same rows as in one, but for positions`, async () => {
    const driver = await driven(partitions)
    for (const table of TABLES) {
      const expected = sorted(straight.rows(table), POSITIONS)
      assert.deepEqual(sorted(driver.rows(table), POSITIONS), expected, table)
    }
  })
}

test('a batch run reads a meter by its key: readings of one meter stay in their order', () => {
  const run = new BatchRun({ pipeline, registry: testRegistry(), codecs, partitions: 8 })
  const reading = portions[0]!.readings[0]!
  const again = { ...reading, measurements: reading.measurements.map((m) => ({ ...m, value: 7 })) }
  const { tables } = run.take([
    { appendMillis: 1, reading },
    { appendMillis: 2, reading: again },
  ])
  const rows = new MemoryTables()
  for (const batch of tables) rows.upsert(batch)
  const values = rows.rows('readings').map((row) => row['value'])
  assert.deepEqual(new Set(values), new Set([7]), meterKey(reading.tenant, reading.meterId))
})
