import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { hashToken, makeToken } from '../../src/bridge/credentials-file.ts'
import { openPublisher } from '../../src/tools/publisher.ts'
import { badPayloads } from '../support/bad-payloads.ts'
import { questdbQuery } from '../support/questdb.ts'
import { startPipeline } from '../support/pipeline.ts'

// Goal: 200 kinds of bad payload, sent over MQTT to a real bridge, are each acknowledged and give
// one dead letter with the right reason; the bridge lives, and the good reading after them is
// stored.
test('each bad payload becomes one dead letter, and the bridge lives', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'bad-'))
  t.after(() => rm(folder, { recursive: true }))
  const credentialsFile = join(folder, 'credentials.json')
  const token = makeToken()
  const publish = [{ tenant: 'demo', meters: ['m-1'] }]
  const device = { name: 'device', tokenHashes: [hashToken(token)], publish }
  await writeFile(credentialsFile, JSON.stringify({ devices: [device] }))
  const pipeline = await startPipeline(t, { overrides: { credentialsFile, maxAgeDays: 400 } })
  const publisher = await openPublisher({
    url: pipeline.mqttUrl,
    connections: 3,
    window: 20,
    clientIdPrefix: 'device-',
    credentials: { username: 'device', password: token },
  })
  t.after(() => publisher.close())

  const bad = badPayloads({
    tenant: 'demo',
    meterId: 'm-1',
    foreignMeterId: 'm-2',
    now: Date.now() * 1_000,
    maxAgeDays: 400,
  })
  assert.ok(bad.length >= 200, `only ${bad.length} kinds`)
  for (const { topic, payload } of bad) await publisher.publish(topic, payload)
  const at = new Date(Date.now() - 60_000).toISOString()
  await publisher.publish('fleet/demo/m-1/readings', JSON.stringify({ at, power_w: 1 }))
  await publisher.flush()
  assert.equal(publisher.stats().acknowledged, bad.length + 1)
  assert.equal(publisher.stats().cuts, 0, 'no connection was closed')

  const listed = await pipeline.cli('dead-letters', 'list', '--limit', '1000', '--json')
  assert.equal(listed.code, 0, listed.stderr)
  const reasons = (listed.stdout.match(/"reason":\s*"[^"]+"/g) ?? []).map((m) => m.split('"')[3]!)
  assert.deepEqual(reasons.sort(), bad.map(({ reason }) => reason).sort())
  await pipeline.settled()
  const rows = await questdbQuery(
    pipeline.config.questdbUrl,
    `select value from '${pipeline.config.tablePrefix}readings'`,
  )
  assert.deepEqual(rows, [[1]])
})
