import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectAsync } from 'mqtt'
import { openPublisher } from '../../src/tools/publisher.ts'
import { testConfig } from '../support/config.ts'
import { startKafka } from '../support/own-kafka.ts'
import { residentMb } from '../support/processes.ts'
import { onFreePorts, spawnRole } from '../support/roles.ts'
import { until } from './rig.ts'
import { testTopics } from './stored.ts'

// A Kafka of this file's own, since it is stopped and killed.

const at = (i: number) => new Date(Date.UTC(2026, 10, 20) + i * 1_000).toISOString()

const kafka = await startKafka()
const { server, kafkaBrokers } = kafka
after(() => kafka.stop())

test(
  'a Kafka that stands still: memory stays bounded, and all is there when it goes ' + 'on',
  async (t) => {
    const config = await onFreePorts(testConfig({ kafkaBrokers }))
    const topics = await testTopics(t, config)
    const bridge = spawnRole(t, 'bridge', config)
    await bridge.ready()
    const publisher = await openPublisher({
      url: `mqtt://127.0.0.1:${config.mqttPort}`,
      connections: 100,
      window: 2_000,
      clientIdPrefix: 'flood-',
    })
    t.after(() => publisher.close())
    const send = async (from: number, to: number) => {
      for (let i = from; i < to; i += 1) {
        const payload = `{"at":"${at(i)}","power_w":${i}}`.padEnd(600)
        await publisher.publish(`fleet/demo/m-${i % 500}/readings`, payload)
      }
    }
    await send(0, 20_000)
    await publisher.flush()
    const warmMb = residentMb([bridge.pid])
    process.kill(server.pid!, 'SIGSTOP')
    const sending = send(20_000, 100_000)
    await sleep(3_000)
    const stoodMb = residentMb([bridge.pid])
    const waiting = publisher.stats().inFlight
    process.kill(server.pid!, 'SIGCONT')
    await sending
    await publisher.flush()
    // 16 MiB may be in flight; the rest is room that the collector has not given back.
    assert.ok(stoodMb - warmMb < 150, `${warmMb} MB became ${stoodMb} MB`)
    assert.ok(waiting > 40_000, `${waiting} publishes waited at the devices`)
    assert.equal(publisher.stats().cuts, 0)
    const { readings } = await topics.stored()
    const values = new Set(readings.map(({ reading }) => reading.measurements[0]?.value))
    assert.equal(values.size, 100_000)
  },
)

test(
  'Kafka killed between PUBLISH and PUBACK: the device sends again, nothing is ' + 'lost',
  async (t) => {
    const config = await onFreePorts(testConfig({ kafkaBrokers }))
    const topics = await testTopics(t, config)
    const bridge = spawnRole(t, 'bridge', config)
    await bridge.ready()
    const device = await connectAsync(`mqtt://127.0.0.1:${config.mqttPort}`, {
      clientId: 'device',
      clean: false,
      reconnectPeriod: 200,
    })
    t.after(() => device.endAsync(true))
    let cuts = 0
    device.on('close', () => (cuts += 1))
    device.on('error', () => undefined)
    let acknowledged = 0
    const publish = async (i: number) => {
      const payload = `{"at":"${at(i)}","power_w":${i}}`
      await device.publishAsync(`fleet/demo/m-${i % 7}/readings`, payload, { qos: 1 })
      acknowledged += 1
    }
    const sent: Promise<void>[] = []
    for (let i = 0; i < 200; i += 1) sent.push(publish(i))
    await Promise.all(sent)

    // A Kafka that stands still keeps these between PUBLISH and PUBACK; then it is gone.
    process.kill(server.pid!, 'SIGSTOP')
    for (let i = 200; i < 400; i += 1) sent.push(publish(i))
    await sleep(300)
    assert.equal(acknowledged, 200)
    process.kill(server.pid!, 'SIGKILL')
    await until('the bridge to cut the device', () => cuts > 0)
    for (let i = 400; i < 500; i += 1) sent.push(publish(i))
    assert.equal((await fetch(`${bridge.opsUrl}/ready`)).status, 503)
    await until('Kafka to be gone', () => server.pid === undefined)
    await server.start()
    await Promise.all(sent)
    await bridge.ready()

    const { readings } = await topics.stored()
    const values = new Set(readings.map(({ reading }) => reading.measurements[0]?.value))
    assert.equal(values.size, 500)
  },
)
