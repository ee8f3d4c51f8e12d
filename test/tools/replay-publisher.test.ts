import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'node:test'
import { hasCode } from '../../src/kernel/errors.ts'
import { unit } from '../../src/tools/simulate/hash.ts'
import { type PublisherOptions, openPublisher } from '../../src/tools/publisher.ts'
import { frameReader } from '../../src/tools/publish/frames.ts'
import { Window } from '../../src/tools/publish/window.ts'
import { openBroker, openCuttingProxy, openRawPeer } from './replay-broker.ts'
import type { Scope } from '../support/database.ts'

async function opened(t: Scope, options: Partial<PublisherOptions> & { url: string }) {
  const publisher = await openPublisher({
    ...{ connections: 1, window: 8, clientIdPrefix: 'test-' },
    ...options,
  })
  t.after(() => publisher.close())
  return publisher
}

test('every publish is acknowledged once, and those of a topic keep their order', async (t) => {
  const broker = await openBroker(t)
  const acked: string[] = []
  const onAck = (topic: string, payload: string | Uint8Array, tag: unknown) => {
    acked.push(`${topic} ${payload.toString()} ${String(tag)}`)
  }
  const publisher = await opened(t, { url: broker.url, connections: 3, window: 16, onAck })
  const sent: string[] = []
  for (let i = 0; i < 2_000; i += 1) {
    const topic = `fleet/demo/m-${i % 7}/readings`
    sent.push(`${topic} ${i} tag-${i}`)
    // A payload of bytes does as well as a text.
    const payload = i % 2 === 0 ? String(i) : Buffer.from(String(i))
    await publisher.publish(topic, payload, { tag: `tag-${i}` })
  }
  await publisher.flush()

  assert.deepEqual(acked.toSorted(), sent.toSorted())
  for (let m = 0; m < 7; m += 1) {
    const topic = `fleet/demo/m-${m}/readings`
    const got = broker.received.filter((each) => each.topic === topic).map(({ payload }) => payload)
    const wanted = Array.from({ length: 2_000 }, (_, i) => i).filter((i) => i % 7 === m)
    assert.deepEqual(got, wanted.map(String))
  }
  assert.equal(publisher.stats().acknowledged, 2_000)
  assert.equal(publisher.stats().inFlight, 0)
})

// Goal: however often the line breaks, nothing is lost, and repeats come in the old order.
for (const seed of [1, 2, 3, 4, 5, 6]) {
  test(`lines that break lose nothing (seed ${seed})`, async (t) => {
    const broker = await openBroker(t)
    const proxy = await openCuttingProxy(t, broker.port, (n) =>
      n < 30 ? 100 + Math.floor(unit(seed, 0, n, 0) * 4_000) : Infinity,
    )
    const acked: string[] = []
    const url = proxy.url
    const publisher = await opened(t, {
      ...{ url, connections: 2, window: 5 + seed },
      onAck: (_topic, payload) => acked.push(payload.toString()),
    })
    const all = Array.from({ length: 1_500 }, (_, i) => `m-${i % 5}:${i}`)
    for (const payload of all) await publisher.publish(`t/${payload.slice(0, 3)}`, payload)
    await publisher.flush()

    assert.ok(proxy.connections() > 10, `only ${proxy.connections()} connections were made`)
    assert.ok(publisher.stats().cuts > 8, 'the lines did not break')
    assert.ok(
      broker.received.some(({ dup }) => dup),
      'nothing was sent twice, so that nothing was tested',
    )
    assert.deepEqual(acked.toSorted(), all.toSorted(), 'each is acknowledged once')
    for (let m = 0; m < 5; m += 1) {
      const mine = all.filter((payload) => payload.startsWith(`m-${m}`))
      const got = broker.received.map(({ payload }) => payload)
      const first = [...new Set(got.filter((payload) => payload.startsWith(`m-${m}`)))]
      assert.deepEqual(first, mine, 'the first time that each arrives is in order')
    }
  })
}

test('a broker that does not acknowledge is sent no more than the window', async (t) => {
  let bytes = 0
  const { url } = await openRawPeer(t, (_socket, chunk, isFirst) => {
    if (!isFirst) bytes += chunk.length
  })
  const publisher = await opened(t, { url, window: 10 })
  for (let i = 0; i < 10; i += 1) assert.equal(publisher.publish('t', 'x'.repeat(100)), undefined)
  const more = publisher.publish('t', 'y')
  assert.ok(more instanceof Promise, 'the eleventh has to wait')
  await sleep(100)
  assert.equal(bytes, 10 * (2 + 2 + 1 + 2 + 100))
  assert.equal(publisher.stats().inFlight, 11)
  const rejected = assert.rejects(more, (error) => hasCode(error, 'publish.closed'))
  await publisher.close()
  await rejected
})

test('acknowledgements may come in any order', async (t) => {
  const ids: number[] = []
  const { url } = await openRawPeer(t, (socket, chunk, isFirst) => {
    if (isFirst) return
    // Frames of one byte payload on topic `t`: 8 bytes each, the id in the 6th and 7th.
    for (let at = 0; at < chunk.length; at += 8) ids.push(chunk.readUInt16BE(at + 5))
    while (ids.length >= 4) {
      const four = ids.splice(0, 4).toReversed()
      for (const id of four) socket.write(Buffer.from([0x40, 2, id >> 8, id & 255]))
    }
  })
  const acked: string[] = []
  const onAck = (_topic: string, payload: string | Uint8Array) => acked.push(payload.toString())
  const publisher = await opened(t, { url, window: 4, onAck })
  for (const payload of 'abcdefgh') await publisher.publish('t', payload)
  await publisher.flush()
  assert.equal(acked.join(''), 'dcbahgfe')
})

test('what cannot be is refused with its reason', async (t) => {
  const broker = await openBroker(t, { password: 'right' })
  const credentials = { username: 'meter', password: 'wrong' }
  await assert.rejects(opened(t, { url: broker.url, credentials }), (error) =>
    hasCode(error, 'publish.refused'),
  )
  await opened(t, { url: broker.url.replace('//', '//meter:right@') })
  await assert.rejects(opened(t, { url: 'mqtt://127.0.0.1:1', connectMsMax: 300 }), (error) =>
    hasCode(error, 'publish.unreachable'),
  )
  await assert.rejects(opened(t, { url: 'http://127.0.0.1' }), (error) =>
    hasCode(error, 'publish.badUrl'),
  )
  const open = await openBroker(t)
  const publisher = await opened(t, { url: open.url })
  assert.throws(
    () => publisher.publish('t', 'x'.repeat(1024 * 1024)),
    (error) => hasCode(error, 'publish.tooLong'),
  )
})

test('a window keeps what is not acknowledged, whatever the order', () => {
  const window = new Window(3, 1_000)
  for (const payload of ['a', 'b', 'c']) window.add('t', payload, undefined, 1)
  assert.ok(window.isFull)
  const sent = () => {
    const out: string[] = []
    window.send(({ payload, packetId, again }) => {
      out.push(`${payload.toString()}${packetId}${again ? '!' : ''}`)
      return true
    })
    return out.join(' ')
  }
  assert.equal(window.acknowledge(1, undefined), false, 'nothing has been sent yet')
  assert.equal(sent(), 'a1 b2 c3')
  assert.ok(window.acknowledge(2, undefined))
  assert.equal(window.acknowledge(2, undefined), false, 'once is enough')
  assert.equal(window.acknowledge(9, undefined), false)
  assert.ok(window.isFull, 'room comes back from the oldest end')
  window.rewind()
  assert.equal(sent(), 'a1! c3!')
  assert.ok(window.acknowledge(1, undefined))
  window.add('t', 'd', undefined, 1)
  assert.equal(sent(), 'd1')
})

test('frames are read from chunks cut anywhere', () => {
  const stream = Buffer.from([0x20, 2, 0, 0, 0x40, 2, 1, 5, 0xd0, 0, 0x40, 2, 0, 7, 0x30])
  for (let size = 1; size <= stream.length; size += 1) {
    const seen: string[] = []
    const read = frameReader({
      connack: (code) => seen.push(`connack ${code}`),
      puback: (id) => seen.push(`puback ${id}`),
      unexpected: (type) => seen.push(`unexpected ${type}`),
    })
    for (let at = 0; at < stream.length; at += size) read(stream.subarray(at, at + size))
    read(Buffer.from([0]))
    assert.deepEqual(seen, ['connack 0', 'puback 261', 'puback 7', 'unexpected 3'], `by ${size}`)
  }
})
