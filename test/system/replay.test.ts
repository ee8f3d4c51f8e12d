import assert from 'node:assert/strict'
import { existsSync, globSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { fileRecords, gaugeRules } from '../oracle/files.ts'
import { oracle } from '../oracle/oracle.ts'
import { compare, explain, storedRows } from '../oracle/stored.ts'
import { startPipeline } from '../support/pipeline.ts'

const shared = process.env['METERLOOM_SHARED'] ?? join(import.meta.dirname, '../../../shared')
const folder = join(shared, 'data/baseline')
const skip = existsSync(folder) ? false : `no real meters at ${folder}: set METERLOOM_SHARED`

// Goal: every real reading goes through MQTT, Kafka and the windows into QuestDB, and every row is
// what an independent computation over the files says.
test(
  'real meters replayed: every raw row and every window is right',
  { skip, timeout: 900_000 },
  async (t) => {
    const pipeline = await startPipeline(t)
    const files = globSync(join(folder, '*.csv.gz')).sort()
    const replayed = await pipeline.cli(
      'replay',
      ...files,
      '--speed',
      'max',
      '--channel',
      'power_kw',
      '--url',
      pipeline.mqttUrl,
      '--json',
    )
    assert.equal(replayed.code, 0, replayed.stderr)
    // Years of days are thousands of partitions, which QuestDB takes its time to write.
    await pipeline.settled(600)

    const expected = oracle(fileRecords(files, 'power_kw'), gaugeRules)
    const { questdbUrl, tablePrefix } = pipeline.config
    const found = compare(expected, await storedRows(questdbUrl, tablePrefix))
    assert.ok(found.readings.compared > 400_000, `only ${found.readings.compared} readings`)
    assert.equal(explain(found), '')
  },
)
