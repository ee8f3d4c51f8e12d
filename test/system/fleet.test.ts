import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { loadRegistry } from '../../src/registry/files.ts'
import { logRecords } from '../oracle/log-records.ts'
import { oracle } from '../oracle/oracle.ts'
import { compare, explain, storedRows } from '../oracle/stored.ts'
import { startPipeline } from '../support/pipeline.ts'
import { oracleRules } from '../support/registry.ts'

// Goal: a simulated fleet at one reading a minute, over a night in which the clocks change, with
// duplicates, corrections, wrong clocks and disorder within the horizon: every row in QuestDB is
// what an independent computation over the log says, with two processors, one of which is killed on
// the way.
test('a simulated fleet with faults: every row is right, and a kill changes nothing', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fleet-'))
  t.after(() => rm(folder, { recursive: true }))
  const ledger = join(folder, 'ledger.jsonl')
  const pipeline = await startPipeline(t, { processors: 2 })
  const simulated = pipeline.cli(
    ...['simulate', '--meters', '16', '--seed', '7', '--zone', 'Europe/Berlin'],
    ...['--start', '2026-10-24T12:00:00+02:00', '--until', '2026-10-26T12:00:00+01:00'],
    ...['--speed', 'max', '--url', pipeline.mqttUrl, '--ledger', ledger, '--json'],
    ...[
      '--faults',
      'spikes=0.01,duplicates=0.03,corrections=0.02,clock=0.1,disorder=0.1,backlog=0.02',
    ],
  )
  setTimeout(() => void pipeline.processors[1]!.kill(), 1_500)
  const { code, stderr } = await simulated
  assert.equal(code, 0, stderr)
  await pipeline.settled(120)

  const { questdbUrl, tablePrefix } = pipeline.config
  const records = await logRecords(pipeline.log, `${pipeline.config.topicPrefix}readings`)
  const expected = oracle(records, oracleRules(await loadRegistry(pipeline.config)))
  const found = compare(expected, await storedRows(questdbUrl, tablePrefix))
  assert.ok(found.readings.compared > 100_000, `only ${found.readings.compared} readings`)
  assert.ok(found.anomalies.compared > 50, `only ${found.anomalies.compared} anomalies`)
  assert.equal(explain(found), '')

  const verified = await pipeline.cli('verify', '--ledger', ledger, '--json')
  assert.equal(verified.code, 0, verified.stdout + verified.stderr)
})
