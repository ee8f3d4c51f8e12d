import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Decoder } from '../../src/bridge/inbound.ts'
import { RawDevice, connectPacket, openRig, plainDecoder, publishPacket, until } from './rig.ts'

// A PUBACK means: in Kafka. The producer here is forced to be slow or to refuse; `kafka.test.ts`
// and `kafka-kill.test.ts` see the same with a real one.

test('a PUBACK waits for Kafka', async (t) => {
  const { port, producer } = await openRig(t)
  const device = await RawDevice.connected(t, port)
  producer.mode = 'hold'
  device.send(publishPacket('a', { messageId: 7 }))
  await until('the append', () => producer.heldCalls === 1)
  await sleep(50)
  assert.equal(device.of('puback').length, 0)
  producer.release()
  await device.received('puback')
  assert.equal(device.of('puback')[0]?.messageId, 7)
  assert.deepEqual(producer.values(), ['a'])
})

test('where Kafka refuses there is no PUBACK: the connection is closed', async (t) => {
  const { port, producer, metric } = await openRig(t)
  const device = await RawDevice.connected(t, port)
  const other = await RawDevice.connected(t, port, { clientId: 'other' })
  producer.mode = 'refuse'
  device.send(publishPacket('a'), publishPacket('b', { messageId: 2 }))
  await device.closed()
  assert.equal(device.of('puback').length, 0)
  assert.equal(await metric('disconnects_total', { reason: 'kafka' }), 1)
  assert.equal(await metric('readings_total'), 0)
  assert.equal(other.isClosed, false, 'a device that has sent nothing stays')
})

test('after a refusal the bridge is not ready, asks Kafka less and less, and heals', async (t) => {
  const { port, producer, bridge } = await openRig(t)
  producer.mode = 'refuse'
  for (let i = 0; i < 3; i += 1) {
    const device = await RawDevice.connected(t, port)
    device.send(publishPacket('a'))
    await device.closed()
  }
  assert.match(bridge.problems()[0] ?? '', /^kafka: forced by the test/)
  producer.mode = 'take'
  const device = await RawDevice.connected(t, port)
  const startedMs = performance.now()
  device.send(publishPacket('b'))
  await device.received('puback')
  assert.ok(performance.now() - startedMs > 300, 'the third refusal makes it wait for 800 ms')
  assert.deepEqual(bridge.problems(), [])
  assert.deepEqual(producer.values(), ['b'])
})

test('many publishes of one connection are in flight, and keep their order', async (t) => {
  const { port, producer, metric } = await openRig(t)
  const device = await RawDevice.connected(t, port)
  producer.mode = 'hold'
  const ids = Array.from({ length: 1_000 }, (_, i) => i + 1)
  device.send(...ids.map((messageId) => publishPacket(`v${messageId}`, { messageId })))
  await until('all to be taken', async () => (await metric('in_flight')) === ids.length)
  assert.equal(device.of('puback').length, 0)
  producer.mode = 'take'
  producer.release()
  await device.received('puback', ids.length)
  assert.deepEqual(
    device.of('puback').map(({ messageId }) => messageId),
    ids,
  )
  assert.deepEqual(
    producer.values(),
    ids.map((id) => `v${id}`),
  )
  assert.ok(producer.calls < 100, `${producer.calls} appends are no batches`)
  assert.equal(await metric('in_flight'), 0)
  assert.equal(await metric('in_flight_bytes'), 0)
})

test('all connections share one append', async (t) => {
  const { port, producer, metric } = await openRig(t)
  const devices = await Promise.all(
    Array.from({ length: 20 }, (_, i) => RawDevice.connected(t, port, { clientId: `d${i}` })),
  )
  producer.mode = 'hold'
  for (const device of devices) device.send(publishPacket('first'))
  await until('all to be taken', async () => (await metric('in_flight')) === devices.length)
  assert.ok(producer.heldCalls <= 2, 'what comes while two requests are under way is gathered')
  producer.mode = 'take'
  producer.release()
  await Promise.all(devices.map((device) => device.received('puback')))
  assert.ok(producer.calls <= 3, `${producer.calls} appends for ${devices.length} publishes`)
})

test('QoS 0 is stored and not answered', async (t) => {
  const { port, producer, metric } = await openRig(t)
  const device = await RawDevice.connected(t, port)
  device.send({ ...publishPacket('a'), qos: 0 }, { cmd: 'pingreq' })
  await device.received('pingresp')
  await until('the append', () => producer.values().length === 1)
  assert.deepEqual(
    device.packets.map(({ cmd }) => cmd),
    ['connack', 'pingresp'],
  )
  assert.equal(await metric('publishes_total', { qos: '0' }), 1)
})

test('QoS 2: PUBREC waits for Kafka, and PUBCOMP ends it', async (t) => {
  const { port, producer } = await openRig(t)
  const device = await RawDevice.connected(t, port)
  producer.mode = 'hold'
  device.send(publishPacket('a', { qos: 2, messageId: 9 }))
  await until('the append', () => producer.heldCalls === 1)
  await sleep(50)
  assert.equal(device.of('pubrec').length, 0)
  producer.mode = 'take'
  producer.release()
  await device.received('pubrec')
  device.send({ cmd: 'pubrel', messageId: 9 })
  await device.received('pubcomp')
  assert.equal(device.of('pubcomp')[0]?.messageId, 9)
})

test('QoS 2: a PUBREL for a message of an earlier connection is answered', async (t) => {
  const { port } = await openRig(t)
  const device = await RawDevice.connected(t, port, { clean: false })
  device.send({ cmd: 'pubrel', messageId: 3 })
  await device.received('pubcomp')
})

test('a retained message is an ordinary reading, and nobody gets it later', async (t) => {
  const { port, producer } = await openRig(t)
  const device = await RawDevice.connected(t, port)
  device.send(publishPacket('a', { retain: true }))
  await device.received('puback')
  assert.deepEqual(producer.values(), ['a'])
  const curious = await RawDevice.connected(t, port, { clientId: 'curious' })
  curious.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '#', qos: 1 }] })
  await curious.received('suback')
  await sleep(50)
  assert.equal(curious.of('publish').length, 0)
})

test('nobody may subscribe, and no message goes out', async (t) => {
  const { port, metric } = await openRig(t)
  const curious = await RawDevice.connected(t, port, { clientId: 'curious' })
  const subscriptions = [
    { topic: 'fleet/+/+/readings', qos: 1 as const },
    { topic: '$SYS/#', qos: 0 as const },
  ]
  curious.send({ cmd: 'subscribe', messageId: 1, subscriptions })
  await curious.received('suback')
  assert.deepEqual(curious.of('suback')[0]?.granted, [128, 128])
  const device = await RawDevice.connected(t, port)
  device.send(publishPacket('a'))
  await device.received('puback')
  await sleep(50)
  assert.equal(curious.of('publish').length, 0)
  assert.equal(await metric('subscriptions_refused_total'), 2)
})

test('a will is counted and never published', async (t) => {
  const { port, producer, metric } = await openRig(t)
  const will = { topic: 'fleet/demo/m-1/readings', payload: Buffer.from('will'), qos: 1 as const }
  const device = await RawDevice.connected(t, port, { will: { ...will, retain: true } })
  await device.close()
  await until('the bridge to see it', async () => (await metric('connections')) === 0)
  await sleep(50)
  assert.deepEqual(producer.values(), [])
  assert.equal(await metric('wills_ignored_total'), 1)
})

test('publishes may follow CONNECT without waiting for its answer', async (t) => {
  const { port, producer } = await openRig(t)
  const device = await RawDevice.open(t, port)
  const ids = Array.from({ length: 300 }, (_, i) => i + 1)
  device.send(connectPacket(), ...ids.map((id) => publishPacket(`v${id}`, { messageId: id })))
  await device.received('puback', ids.length)
  assert.equal(device.packets[0]?.cmd, 'connack')
  assert.deepEqual(
    producer.values(),
    ids.map((id) => `v${id}`),
  )
})

test('what a closed bridge had in flight is acknowledged before it says good-bye', async (t) => {
  const { port, producer, bridge } = await openRig(t)
  const device = await RawDevice.connected(t, port)
  producer.mode = 'hold'
  device.send(publishPacket('a'))
  await until('the append', () => producer.heldCalls === 1)
  const closing = bridge.close()
  await assert.rejects(RawDevice.open(t, port), /ECONNREFUSED/)
  producer.mode = 'take'
  producer.release()
  await closing
  await device.closed()
  assert.equal(device.of('puback').length, 1)
})

test('messages that hold no reading are acknowledged too, amid those that do', async (t) => {
  const decoder: Decoder = {
    decode(inbound) {
      const decoded = plainDecoder.decode(inbound)
      const isReading = String(inbound.payload).startsWith('v')
      return isReading ? decoded : { ...decoded, readings: [], ignored: 1 }
    },
  }
  const { port, producer, metric } = await openRig(t, { decoder })
  const device = await RawDevice.connected(t, port)
  const packets = Array.from({ length: 600 }, (_, i) => {
    const qos = (i % 3) as 0 | 1 | 2
    return publishPacket(`${i % 2 === 0 ? 'v' : 'nothing'}${i}`, { qos, messageId: i + 1 })
  })
  // One by one and all at once: the parser may be in the middle of a read, or at its end.
  for (const packet of packets.slice(0, 100)) device.send(packet)
  device.send(...packets.slice(100))
  await Promise.all([device.received('puback', 200), device.received('pubrec', 200)])
  await until('all readings', () => producer.values().length === 300)
  assert.equal(await metric('ignored_total'), 300)
  assert.equal(new Set(device.of('puback').map(({ messageId }) => messageId)).size, 200)
})
