import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { Registry } from 'prom-client'
import { DeviceConnection } from '../../src/bridge/device-connection.ts'
import { Gate } from '../../src/bridge/gate.ts'
import { BridgeMetrics } from '../../src/bridge/metrics.ts'
import { LIMITS } from '../../src/kernel/limits.ts'
import { until } from './rig.ts'

/** Two ends of a real connection, ours behind a `DeviceConnection`. */
async function pair(t: TestContext) {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const device = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [ours] = (await once(server, 'connection')) as [Socket]
  t.after(() => {
    device.destroy()
    ours.destroy()
    server.close()
  })
  const ended: string[] = []
  const metrics = new BridgeMetrics(new Registry())
  const connection = new DeviceConnection(ours, {
    gate: new Gate(LIMITS.bridgeInFlightBytesMax),
    metrics,
    partialBytes: 0,
    onEnded: (_connection, why) => ended.push(why.message),
  })
  const read: Buffer[] = []
  // As aedes reads.
  ours.on('readable', () => {
    for (let chunk = ours.read() as Buffer | null; chunk !== null; chunk = ours.read() as Buffer) {
      read.push(chunk)
    }
  })
  return { device, ours, connection, read, ended, metrics }
}

const PING = Buffer.from([0xc0, 0])

/** More answers than the device's and our buffers hold, which it does not read. */
async function clogged(device: Socket, ours: Socket): Promise<void> {
  device.pause()
  ours.write(Buffer.alloc(16 * 1024 * 1024))
  await until('the answers to be stuck', () => ours.writableNeedDrain)
}

test('a device that does not take its answers is not read until it does', async (t) => {
  const { device, ours, connection, read } = await pair(t)
  await clogged(device, ours)
  device.write(PING)
  await until('it to be left unread', () => connection.isWaiting)
  assert.equal(read.length, 0)
  device.resume()
  await until('it to be read', () => read.length === 1)
  assert.equal(connection.isWaiting, false)
})

test('one that never takes its answers is disconnected', async (t) => {
  const { device, ours, connection, read, ended, metrics } = await pair(t)
  await clogged(device, ours)
  device.write(PING)
  await until('it to be left unread', () => connection.isWaiting)
  connection.checkKeepalive(performance.now() + LIMITS.bridgeDrainMsMax - 1_000)
  assert.deepEqual(ended, [])
  connection.checkKeepalive(performance.now() + LIMITS.bridgeDrainMsMax + 1_000)
  assert.match(ended.join(), /has taken none of its answers for 6[01] s/)
  assert.equal(metrics.disconnects.keepalive, 1)
  assert.equal(read.length, 0)
})

test('one connection alone has a bound, and is read again when half of it is free', async (t) => {
  const { device, connection, read } = await pair(t)
  const max = LIMITS.bridgeConnectionBytesMax
  connection.enter(max)
  device.write(PING)
  await until('it to be left unread', () => connection.isWaiting)
  connection.leave(max / 4)
  assert.equal(connection.isWaiting, true)
  connection.leave(max / 4)
  await until('it to be read', () => read.length === 1)
})
