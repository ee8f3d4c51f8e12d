import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type MqttClient, connectAsync } from 'mqtt'
import { freePorts } from '../../infra/servers/index.ts'
import { checkBrokerUrl } from '../../src/bridge/broker-source.ts'
import { startBridge } from '../../src/roles/bridge.ts'
import { testConfig } from '../support/config.ts'
import { onFreePorts, startRoleInProcess } from '../support/roles.ts'
import { openRig, until } from './rig.ts'
import { testTopics } from './stored.ts'

// The second source, at a broker that the user has already: Debian's mosquitto.

const PROGRAM = ['/usr/sbin/mosquitto', '/usr/bin/mosquitto'].find((path) => existsSync(path))
const skip = PROGRAM === undefined && 'mosquitto is not installed (apt-get install mosquitto)'

interface Mosquitto {
  readonly url: string
  start(): Promise<void>
  kill(): Promise<void>
}

async function startMosquitto(t: TestContext): Promise<Mosquitto> {
  const folder = mkdtempSync(join(tmpdir(), 'meterloom-mosquitto-'))
  const [port] = await freePorts(1)
  const file = join(folder, 'mosquitto.conf')
  writeFileSync(
    file,
    `listener ${port!} 127.0.0.1\nallow_anonymous true\nmax_queued_messages ` +
      '100000\nlog_type error\n',
  )
  let child: ChildProcess | undefined
  const kill = async () => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  const start = async () => {
    child = spawn(PROGRAM!, ['-c', file], { stdio: 'ignore' })
    await until('mosquitto', () => answers(port!))
  }
  t.after(async () => {
    await kill()
    rmSync(folder, { recursive: true })
  })
  await start()
  return { url: `mqtt://127.0.0.1:${port!}`, start, kill }
}

/** Whether somebody listens; asked by connecting, since listening here would be in its way. */
async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const told = await once(socket, 'connect').then(
    () => true,
    () => false,
  )
  socket.destroy()
  return told
}

/** A device that publishes to the broker, and is gone after the test. */
async function deviceAt(t: TestContext, url: string): Promise<MqttClient> {
  const device = await connectAsync(url)
  t.after(() => device.endAsync(true))
  return device
}

const FILTERS = ['fleet/+/+/readings']

function brokerAt(url: string, clientIdPrefix = 'bridge-') {
  return { url, filters: FILTERS, group: 'meterloom', clientIdPrefix }
}

test('messages at the broker reach Kafka, the topic map’s too', { skip }, async (t) => {
  const { url } = await startMosquitto(t)
  const config = await onFreePorts(testConfig({ mqttUrl: url }))
  const topics = await testTopics(t, config)
  const { running } = await startRoleInProcess(t, 'bridge', startBridge, config)
  await until('the bridge to be there', () => running.readiness().ready)
  const device = await deviceAt(t, url)
  const sent: Promise<unknown>[] = []
  for (let i = 0; i < 500; i += 1) {
    const at = new Date(Date.UTC(2026, 10, 20) + i * 1_000).toISOString()
    const payload = `{"at":"${at}","power_w":${i}}`
    sent.push(device.publishAsync(`fleet/demo/m-${i % 9}/readings`, payload, { qos: 1 }))
  }
  const plug = '{"power":12.5,"voltage":231,"current":0.1,"energy":4.2,"last_seen":1763640000000}'
  sent.push(device.publishAsync('zigbee2mqtt/plug', plug, { qos: 1 }))
  sent.push(device.publishAsync('fleet/demo/m-1/readings', 'no JSON', { qos: 1 }))
  await Promise.all(sent)
  let values = new Set<number | undefined>()
  await until('all to be stored', async () => {
    const { readings } = await topics.stored()
    values = new Set(readings.map(({ reading }) => reading.measurements[0]?.value))
    return readings.length >= 501
  })
  assert.equal(values.size, 501)
  const [letter] = await topics.deadLetters()
  assert.equal(letter?.source, 'broker')
})

test('the broker gets its PUBACK after Kafka; what is refused comes again', { skip }, async (t) => {
  const { url } = await startMosquitto(t)
  const { producer, bridge, metric } = await openRig(t, { broker: brokerAt(url) })
  await until('the bridge to be there', () => bridge.problems().length === 0)
  const device = await deviceAt(t, url)
  producer.mode = 'refuse'
  await device.publishAsync('fleet/demo/m-1/readings', 'a', { qos: 1 })
  await until('a refusal', () => bridge.problems().some((line) => line.startsWith('kafka')))
  assert.deepEqual(producer.values(), [])
  producer.mode = 'take'
  await until('it to come again', () => producer.values().includes('a'))
  assert.ok((await metric('publishes_total', { source: 'broker' })) >= 2)
})

test('what comes while no bridge is there waits in its session', { skip }, async (t) => {
  const { url } = await startMosquitto(t)
  const first = await openRig(t, { broker: brokerAt(url) })
  await until('the bridge to be there', () => first.bridge.problems().length === 0)
  await first.bridge.close()
  const device = await deviceAt(t, url)
  const sent = Array.from({ length: 100 }, (_, i) => `v${i}`)
  for (const value of sent) await device.publishAsync('fleet/demo/m-1/readings', value, { qos: 1 })
  const second = await openRig(t, { broker: brokerAt(url) })
  await until('all to be taken', () => new Set(second.producer.values()).size === 100)
  assert.deepEqual(second.producer.values().sort(), sent.sort())
})

test('two bridges share the messages, and each is stored once', { skip }, async (t) => {
  const { url } = await startMosquitto(t)
  const one = await openRig(t, { broker: brokerAt(url, 'one-') })
  const two = await openRig(t, { broker: brokerAt(url, 'two-') })
  await until('both to be there', () => {
    return one.bridge.problems().length + two.bridge.problems().length === 0
  })
  const device = await deviceAt(t, url)
  for (let i = 0; i < 200; i += 1) {
    await device.publishAsync('fleet/demo/m-1/readings', `v${i}`, { qos: 1 })
  }
  const all = () => [...one.producer.values(), ...two.producer.values()]
  await until('all to be taken', () => all().length >= 200)
  await sleep(50)
  assert.equal(all().length, 200)
  assert.equal(new Set(all()).size, 200)
  assert.ok(one.producer.values().length > 20 && two.producer.values().length > 20)
})

test('a broker that goes is told of, and found again when it is back', { skip }, async (t) => {
  const broker = await startMosquitto(t)
  const { producer, bridge } = await openRig(t, { broker: brokerAt(broker.url) })
  await until('the bridge to be there', () => bridge.problems().length === 0)
  await broker.kill()
  await until('it to be told', () => bridge.problems().length === 1)
  assert.match(bridge.problems()[0] ?? '', /^broker: /)
  await broker.start()
  await until('the bridge to be back', () => bridge.problems().length === 0)
  const device = await deviceAt(t, broker.url)
  await device.publishAsync('fleet/demo/m-1/readings', 'a', { qos: 1 })
  await until('it to be taken', () => producer.values().includes('a'))
})

test('an address that is none is refused, without its password', () => {
  checkBrokerUrl('mqtts://user:password@broker:8883')
  for (const url of ['broker:1883', 'http://broker', 'mqtt://', 'mqtt://u:geheim@']) {
    assert.throws(
      () => checkBrokerUrl(url),
      (error: Error) => error.message.includes('MQTT_URL') && !error.message.includes('geheim'),
    )
  }
})
