import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { openLedger } from '../../src/tools/ledger.ts'
import type { LedgerReading } from '../../src/tools/ledger.ts'
import { openPublisher } from '../../src/tools/publisher.ts'
import { questdbQuery } from '../support/questdb.ts'
import { startPipeline } from '../support/pipeline.ts'

const CONNECTIONS = 200
const READINGS = 100_000
const MINUTE = 60_000_000
const START = Date.UTC(2026, 10, 19) * 1_000

// Goal: 100,000 readings from 200 connections, 5 % of them sent twice, are all acknowledged, and
// QuestDB holds each exactly once.
test('each acknowledged reading is one row', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'ledger-'))
  t.after(() => rm(folder, { recursive: true }))
  const pipeline = await startPipeline(t)
  const ledgerFile = join(folder, 'ledger.jsonl')
  const ledger = openLedger(ledgerFile)
  const publisher = await openPublisher({
    url: pipeline.mqttUrl,
    connections: CONNECTIONS,
    window: 50,
    clientIdPrefix: 'meter-',
    onAck: (_topic, _payload, tag) => ledger.acknowledged([tag as LedgerReading]),
  })
  t.after(() => publisher.close())
  for (let i = 0; i < READINGS; i++) {
    const meterId = `m-${i % CONNECTIONS}`
    const at = START + Math.floor(i / CONNECTIONS) * MINUTE
    const text = new Date(at / 1_000).toISOString()
    const payload = `{"at":"${text}","power_w":${500 + (i % 97) / 8}}`
    const tag = { tenant: 'demo', meterId, at, channels: ['power_w'] }
    const copies = i % 20 === 0 ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      await publisher.publish(`fleet/demo/${meterId}/readings`, payload, { tag })
    }
  }
  await publisher.flush()
  ledger.close()
  assert.equal(publisher.stats().acknowledged, READINGS * 1.05)
  await pipeline.settled()

  const { questdbUrl, tablePrefix } = pipeline.config
  const rows = await questdbQuery(
    questdbUrl,
    `select count() from (select distinct ts, meter_id, channel from '${tablePrefix}readings')`,
  )
  const all = await questdbQuery(questdbUrl, `select count() from '${tablePrefix}readings'`)
  assert.deepEqual([rows[0]![0], all[0]![0]], [READINGS, READINGS])

  const verified = await pipeline.cli('verify', '--ledger', ledgerFile, '--json')
  assert.equal(verified.code, 0, verified.stdout + verified.stderr)
})
