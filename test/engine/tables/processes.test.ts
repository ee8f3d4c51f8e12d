import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { tableRecord } from '../../../src/engine/tables/table-record.ts'
import { meterKey } from '../../../src/kernel/ids.ts'
import { minutes } from '../../../src/kernel/time.ts'
import { connectLog } from '../../../src/log/connect.ts'
import type { Log } from '../../../src/log/log.ts'
import { tableTopic, tableTopicSpec, topicNames, topicSpecs } from '../../../src/log/topics.ts'
import { loadCodecs } from '../../../src/schemas/codecs.ts'
import type { Reading } from '../../../src/schemas/records.ts'
import { testConfig, uniquePrefix } from '../../support/config.ts'
import { LIMITS_TOPIC, limitsTable } from '../../support/limits-topology.ts'
import { aMeter, START } from '../../support/readings.ts'

const PROCESS = join(import.meta.dirname, '../../support/limits-process.ts')
const PARTITIONS = 3
const METERS = 12
const QUARTER = minutes(15)
const codecs = await loadCodecs()

type Row = Record<string, number | string>

/** What the files' rows come to: of each window the one with the highest revision. */
function rowsOf(files: readonly string[]): Map<string, Row> {
  const rows = new Map<string, Row>()
  for (const file of files.filter((one) => existsSync(one))) {
    for (const line of readFileSync(file, 'utf8').split('\n').slice(0, -1)) {
      const row = JSON.parse(line) as Row
      const key = `${row['meter_id']} ${(Number(row['ts']) - START) / QUARTER}`
      if (Number(row['revision']) >= Number(rows.get(key)?.['revision'] ?? 0)) rows.set(key, row)
    }
  }
  return rows
}

/** Waits until every partition was told of the whole table, and all of it is committed. */
async function settled(log: Log, prefix: string): Promise<void> {
  const { readings } = topicNames(prefix)
  const [end = 0] = await log.endOffsets(tableTopic(topicNames(prefix), LIMITS_TOPIC))
  const deadlineMs = performance.now() + 60_000
  for (;;) {
    const told = await Promise.all(
      Array.from({ length: PARTITIONS }, async (_, partition) => {
        const batch = await log.readEnd(readings, partition, 20)
        return Array.from({ length: batch.count }, (_, i) => i).some((i) => {
          if (batch.header(i, 'ml-control') === undefined) return false
          const value = batch.bytes.subarray(batch.valueStart[i], batch.valueEnd[i])
          return codecs.control.decode(value).offset === end
        })
      }),
    )
    const ends = await log.endOffsets(readings)
    const committed = await log.committed(`${prefix}limits`, readings)
    if (told.every(Boolean) && ends.every((e, p) => committed[p]!.offset >= e)) return
    assert.ok(performance.now() < deadlineMs, `not settled: told ${told.join()}`)
    await sleep(200)
  }
}

test('two processes look up one table, and a kill -9 between changes no row', async (t) => {
  const prefix = uniquePrefix()
  const topics = topicNames(prefix)
  const table = tableTopic(topics, LIMITS_TOPIC)
  const log = await connectLog(testConfig())
  const folder = mkdtempSync(join(tmpdir(), 'limits-'))
  const files: string[] = []
  const start = () => {
    const file = join(folder, String(files.push('')))
    files[files.length - 1] = file
    return spawn(process.execPath, [PROCESS, prefix, file], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  }
  const children = [start(), start()]
  t.after(async () => {
    for (const child of children) child.kill('SIGKILL')
    await log.deleteTopics([...(Object.values(topics) as string[]), table])
    await log.close()
    rmSync(folder, { recursive: true })
  })
  await log.createTopics(topicSpecs(topics, { partitions: PARTITIONS, retentionBytes: -1 }))
  await log.createTopics([tableTopicSpec(table)])
  const producer = await log.producer()
  t.after(() => producer.close())
  const limit = (m: number, highW: number, validFrom: number) =>
    tableRecord(limitsTable('effective-dated'), `demo/m-${m}`, { highW, note: '' }, validFrom)
  const all = Array.from({ length: METERS }, (_, m) => m)
  const meters = all.map((m) => aMeter(`m-${m}`))
  const append = async (quarters: number) => {
    const readings: Reading[] = meters.flatMap((m) => m.quarterHours(quarters, { power_w: 100 }))
    const records = readings.map((reading) => ({
      key: Buffer.from(meterKey(reading.tenant, reading.meterId)),
      value: codecs.reading.encode(reading),
    }))
    await producer.append(topics.readings, records)
  }

  await producer.append(
    table,
    all.map((m) => limit(m, 10 + m, START)),
  )
  await append(2)
  await settled(log, prefix)
  children[0]!.kill('SIGKILL')
  // Some of what is known is corrected while nobody has the partitions of the one that is gone.
  const even = all.filter((m) => m % 2 === 0)
  await producer.append(
    table,
    even.map((m) => limit(m, 100 + m, START + QUARTER)),
  )
  await append(2)
  children.push(start())
  await settled(log, prefix)

  const expected = all.flatMap((m) =>
    [0, 1, 2].map((quarter) => [
      `m-${m} ${quarter}`,
      m % 2 === 0 && quarter > 0 ? 100 + m : 10 + m,
    ]),
  )
  const found = [...rowsOf(files)].map(([key, row]) => [key, row['upper']])
  assert.deepEqual(found.sort(), expected.sort())
})
