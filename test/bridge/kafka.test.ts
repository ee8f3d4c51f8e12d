import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rmSync } from 'node:fs'
import { test } from 'node:test'
import { hashToken, makeToken } from '../../src/bridge/credentials-file.ts'
import { startBridge } from '../../src/roles/bridge.ts'
import { openPublisher } from '../../src/tools/publisher.ts'
import { testConfig } from '../support/config.ts'
import { onFreePorts, spawnRole, startRoleInProcess } from '../support/roles.ts'
import { RawDevice, publishPacket, until } from './rig.ts'
import { testTopics } from './stored.ts'

// The role as it ships, on a real Kafka.

const at = (second: number) => new Date(Date.UTC(2026, 10, 20) + second * 1_000).toISOString()

test('readings and dead letters are in Kafka when their PUBACK comes', async (t) => {
  const config = await onFreePorts(testConfig())
  const topics = await testTopics(t, config)
  const { running } = await startRoleInProcess(t, 'bridge', startBridge, config)
  const device = await RawDevice.connected(t, config.mqttPort)
  const batch = [{ at: at(60), power_w: 2 }, { at: 'never' }, { at: at(120), power_w: 3 }]
  device.send(
    publishPacket(`{"at":"${at(0)}","power_w":1}`, { messageId: 1 }),
    publishPacket(JSON.stringify(batch), { messageId: 2 }),
    publishPacket('no JSON', { messageId: 3 }),
    publishPacket('{}', { messageId: 4, topic: 'somewhere/else' }),
  )
  await device.received('puback', 4)
  const { readings } = await topics.stored()
  assert.deepEqual(
    readings.map(({ key, reading }) => [key, reading.at / 1e6, reading.measurements[0]?.value]),
    [0, 60, 120].map((s, i) => ['demo/m-1', Date.UTC(2026, 10, 20) / 1e3 + s, i + 1]),
  )
  const letters = await topics.deadLetters()
  assert.equal(letters.length, 3)
  assert.deepEqual(
    letters.map(({ mqttTopic, element }) => `${mqttTopic} ${String(element)}`).sort(),
    ['fleet/demo/m-1/readings 1', 'fleet/demo/m-1/readings null', 'somewhere/else null'],
  )
  for (const letter of letters) {
    assert.equal(letter.source, 'listener')
    assert.equal(letter.clientId, 'device')
  }
  assert.deepEqual(running.readiness(), { ready: true, reasons: [] })
})

test('every partition gets ticks that name the bridge', async (t) => {
  const config = await onFreePorts(testConfig())
  const topics = await testTopics(t, config)
  const { metrics } = await startRoleInProcess(t, 'bridge', startBridge, config)
  await until('the first tick', async () => {
    const found = await metrics.getSingleMetric('meterloom_bridge_ticks_total')?.get()
    return (found?.values[0]?.value ?? 0) >= 1
  })
  const { controls, readings } = await topics.stored()
  assert.deepEqual(
    controls.map(({ partition }) => partition),
    [0, 1, 2],
  )
  for (const { control } of controls) {
    assert.equal(control.kind, 'tick')
    assert.match(
      control.source,
      new RegExp(`^${config.topicPrefix}meterloom-.+-${config.mqttPort}$`),
    )
  }
  assert.deepEqual(readings, [])
})

test('a meter that is not the device’s is a dead letter, with its PUBACK', async (t) => {
  const token = makeToken()
  const credentialsFile = join(tmpdir(), `meterloom-${makeToken().slice(0, 8)}.json`)
  const publish = [{ tenant: 'demo', meters: ['m-1'] }]
  const devices = [{ name: 'meter', tokenHashes: [hashToken(token)], publish }]
  await writeFile(credentialsFile, JSON.stringify({ devices }))
  t.after(() => rmSync(credentialsFile))
  const config = await onFreePorts(testConfig({ credentialsFile }))
  const topics = await testTopics(t, config)
  await startRoleInProcess(t, 'bridge', startBridge, config)
  const login = { username: 'meter', password: Buffer.from(token) }
  const device = await RawDevice.connected(t, config.mqttPort, login)
  const payload = `{"at":"${at(0)}","power_w":1}`
  device.send(
    publishPacket(payload, { messageId: 1 }),
    publishPacket(payload, { messageId: 2, topic: 'fleet/demo/m-2/readings' }),
    publishPacket(payload, { messageId: 3, topic: 'fleet/other/m-1/readings' }),
  )
  await device.received('puback', 3)
  assert.equal((await topics.stored()).readings.length, 1)
  const letters = await topics.deadLetters()
  assert.deepEqual(
    letters.map(({ tenant, meterId }) => `${String(tenant)}/${String(meterId)}`).sort(),
    ['demo/m-2', 'other/m-1'],
  )
})

test('two bridges side by side work as one; one is killed, and its devices go on', async (t) => {
  const one = await onFreePorts(testConfig())
  const two = await onFreePorts({ ...one })
  const topics = await testTopics(t, one)
  const first = spawnRole(t, 'bridge', one)
  const second = spawnRole(t, 'bridge', two)
  await Promise.all([first.ready(), second.ready()])
  const open = async (port: number, clientIdPrefix: string) => {
    const url = `mqtt://127.0.0.1:${port}`
    const publisher = await openPublisher({ url, connections: 5, window: 200, clientIdPrefix })
    t.after(() => publisher.close())
    return publisher
  }
  const left = await open(one.mqttPort, 'left-')
  const right = await open(two.mqttPort, 'right-')
  const send = async (publisher: typeof left, meter: string, from: number, to: number) => {
    for (let i = from; i < to; i += 1) {
      const payload = `{"at":"${at(i)}","power_w":${i}}`
      await publisher.publish(`fleet/demo/${meter}-${i % 10}/readings`, payload)
    }
  }
  await Promise.all([send(left, 'l', 0, 2_000), send(right, 'r', 0, 2_000)])
  await first.kill()
  // What the killed one had not acknowledged is kept by its devices, and sent when it is back.
  const again = spawnRole(t, 'bridge', one)
  await Promise.all([send(left, 'l', 2_000, 4_000), send(right, 'r', 2_000, 4_000), again.ready()])
  await Promise.all([left.flush(), right.flush()])
  const { readings, controls } = await topics.stored()
  const distinct = new Set(readings.map(({ key, reading }) => `${key} ${reading.at}`))
  assert.equal(distinct.size, 8_000)
  assert.equal(new Set(controls.map(({ control }) => control.source)).size, 2)
  assert.equal(await again.stop(), 0)
  assert.equal(await second.stop(), 0)
})
