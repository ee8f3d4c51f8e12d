import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { generate } from 'mqtt-packet'
import { LIMITS } from '../../src/kernel/limits.ts'
import { openPublisher } from '../../src/tools/publisher.ts'
import { RawDevice, connectPacket, openRig, publishPacket, until } from './rig.ts'

const MIB = 1024 * 1024

test('a frame above 1 MiB is disconnected and counted, and the others go on', async (t) => {
  const { port, metric, producer, debugged } = await openRig(t)
  const good = await RawDevice.connected(t, port, { clientId: 'good' })
  const bad = await RawDevice.connected(t, port, { clientId: 'bad' })
  // Its header alone: what follows is never waited for.
  bad.socket.write(generate(publishPacket(Buffer.alloc(MIB))).subarray(0, 5))
  await bad.closed()
  assert.equal(await metric('disconnects_total', { reason: 'oversize' }), 1)
  assert.match(debugged.join(), /bad at .* is disconnected: a frame of 1048603 bytes/)
  good.send(publishPacket(Buffer.alloc(MIB - 100, 'x')))
  await good.received('puback')
  assert.equal(producer.records[0]?.record.value?.length, MIB - 100)
})

test('frames begun and not ended have a bound over all connections', async (t) => {
  const { port, metric } = await openRig(t)
  const part = generate(publishPacket(Buffer.alloc(MIB - 100))).subarray(0, MIB - 1_000)
  const count = LIMITS.bridgePartialBytesMax / MIB + 4
  const devices: RawDevice[] = []
  for (let i = 0; i < count; i += 1) {
    const device = await RawDevice.connected(t, port, { clientId: `d${i}` })
    device.socket.write(part)
    devices.push(device)
  }
  await until('some to be disconnected', async () => {
    return (await metric('disconnects_total', { reason: 'overload' })) > 0
  })
  await sleep(100)
  const gone = devices.filter(({ isClosed }) => isClosed).length
  assert.ok(gone < count / 4, `${gone} of ${count} are disconnected`)
  // Who stayed may end what it began.
  const stayed = devices.find(({ isClosed }) => !isClosed)!
  stayed.socket.write(generate(publishPacket(Buffer.alloc(MIB - 100))).subarray(MIB - 1_000))
  await stayed.received('puback')
})

test('an acknowledgement without its packet id is malformed, and not answered', async (t) => {
  const { port, metric } = await openRig(t)
  for (const type of [0x40, 0x50, 0x62, 0x70]) {
    const device = await RawDevice.connected(t, port, { clientId: `short-${type}` })
    const bytes: Buffer[] = []
    device.socket.on('data', (chunk: Buffer) => bytes.push(chunk))
    device.socket.write(Buffer.from([type, 0]))
    await device.closed()
    assert.equal(Buffer.concat(bytes).length, 0, `type ${type >> 4}`)
  }
  await until('all to be gone', async () => (await metric('connections')) === 0)
})

test('no bytes bring the bridge down', async (t) => {
  const { port, metric } = await openRig(t)
  const frame = fc
    .tuple(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 60 }))
    .map(([type, body]) => Buffer.concat([Buffer.from([type, body.length]), body]))
  // PUBLISH, SUBSCRIBE, UNSUBSCRIBE, PUBREL, PUBACK, PUBREC with the flags that they must have.
  const known = fc.constantFrom(0x32, 0x82, 0xa2, 0x62, 0x40, 0x50)
  const near = fc
    .tuple(known, fc.uint8Array({ maxLength: 12 }))
    .map(([type, body]) => Buffer.concat([Buffer.from([type, body.length]), body]))
  const bytes = fc.array(fc.oneof(frame, near), { minLength: 1, maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(fc.boolean(), bytes, async (isConnected, frames) => {
      const device = isConnected
        ? await RawDevice.connected(t, port, { clientId: 'fuzz' })
        : await RawDevice.open(t, port)
      device.socket.write(Buffer.concat(frames))
      device.socket.end()
      await device.closed()
    }),
    { numRuns: 300 },
  )
  const device = await RawDevice.connected(t, port, { clientId: 'after' })
  device.send(publishPacket('a'))
  await device.received('puback')
  await until('the others to be gone', async () => (await metric('connections')) === 1)
})

test(
  'where Kafka is slow, TCP is left unread, memory stays bounded, and nothing is ' + 'lost',
  async (t) => {
    const { port, producer, metric } = await openRig(t)
    producer.mode = 'hold'
    const connections = 300
    const acknowledged = new Set<string>()
    const publisher = await openPublisher({
      url: `mqtt://127.0.0.1:${port}`,
      connections,
      window: 4_096,
      clientIdPrefix: 'flood-',
      onAck: (_topic, payload) => acknowledged.add(String(payload).slice(0, 8)),
    })
    t.after(() => publisher.close())
    const rest = 'x'.repeat(1_000)
    const sent = 60_000
    for (let i = 0; i < sent; i += 1) {
      const payload = String(i).padStart(8, '0') + rest
      await publisher.publish(`fleet/demo/m-${i}/readings`, payload, {
        connection: i % connections,
      })
    }
    await until('the gate to shut', async () => (await metric('paused_connections')) > 0)
    let taken = 0
    await until('nothing more to be read', async () => {
      const before = taken
      await sleep(200)
      taken = await metric('publishes_total')
      return taken === before
    })
    const bytes = await metric('in_flight_bytes')
    // The gate looks before a read, and a read that has begun is taken up whole.
    const bytesMax = LIMITS.bridgeInFlightBytesMax + 256 * 1024
    assert.ok(bytes >= LIMITS.bridgeInFlightBytesMax && bytes <= bytesMax, `${bytes} bytes`)
    assert.ok(taken < sent / 4, `${taken} of ${sent} are taken`)
    assert.equal(acknowledged.size, 0)
    producer.mode = 'take'
    producer.release()
    await publisher.flush()
    assert.equal(acknowledged.size, sent)
    assert.equal(new Set(producer.values().map((value) => value.slice(0, 8))).size, sent)
    assert.equal(publisher.stats().cuts, 0, 'nobody was disconnected for our slowness')
    assert.equal(await metric('paused_connections'), 0)
    assert.equal(await metric('in_flight_bytes'), 0)
  },
)

test('2,000 connections', async (t) => {
  const { port, producer, metric } = await openRig(t)
  const publisher = await openPublisher({
    url: `mqtt://127.0.0.1:${port}`,
    connections: 2_000,
    window: 4,
    clientIdPrefix: 'many-',
  })
  t.after(() => publisher.close())
  assert.equal(await metric('connections'), 2_000)
  for (let i = 0; i < 6_000; i += 1) {
    await publisher.publish(`fleet/demo/m-${i}/readings`, String(i), { connection: i % 2_000 })
  }
  await publisher.flush()
  assert.equal(new Set(producer.values()).size, 6_000)
  await publisher.close()
  await until('all to be gone', async () => (await metric('connections')) === 0)
})

test('a silent device is disconnected; one that we do not read is not', async (t) => {
  const { port, producer, metric } = await openRig(t)
  const silent = await RawDevice.connected(t, port, { clientId: 'silent', keepalive: 1 })
  const busy = await RawDevice.connected(t, port, { clientId: 'busy', keepalive: 1 })
  producer.mode = 'hold'
  const flood = generate(publishPacket(Buffer.alloc(60_000)))
  for (let i = 0; i < 80; i += 1) busy.socket.write(flood)
  await until('something of it to be in flight', async () => (await metric('in_flight')) > 0)
  await silent.closed()
  await sleep(1_500)
  assert.equal(busy.isClosed, false)
  assert.equal(await metric('disconnects_total', { reason: 'keepalive' }), 1)
})

test('a client id has one connection: the newer takes over', async (t) => {
  const { port } = await openRig(t)
  const older = await RawDevice.connected(t, port, { clientId: 'same' })
  const newer = await RawDevice.connected(t, port, { clientId: 'same' })
  await older.closed()
  newer.send(publishPacket('a'))
  await newer.received('puback')
})

test('MQTT 5 is refused, by its CONNACK', async (t) => {
  const { port } = await openRig(t)
  const device = await RawDevice.open(t, port)
  device.send(connectPacket({ protocolVersion: 5 }))
  await device.closed()
  assert.ok(device.packets.length <= 1)
})
