import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { ClientMessage, ServerMessage } from '../../src/api/contract/live.ts'
import { backoffMs } from '../../src/web/live/backoff.ts'
import { Batch } from '../../src/web/live/batch.ts'
import { LiveSession, type Wish } from '../../src/web/live/session.ts'
import { STALE_AFTER_MS, statusOf } from '../../src/web/live/status.ts'

const HELLO: ServerMessage = { type: 'hello', tenant: 'demo', pingSeconds: 20 }

function rig() {
  const sent: ClientMessage[] = []
  const told: string[] = []
  const session = new LiveSession((message) => sent.push(message))
  const listener = {
    items: ({ items }: { items: readonly unknown[] }) => told.push(`${items.length} items`),
    began: (reason?: string) => told.push(`began ${reason ?? ''}`.trim()),
    resumed: () => told.push('resumed'),
    refused: (message: string) => told.push(`refused ${message}`),
  }
  return { sent, told, session, listener, take: (m: ServerMessage) => session.take(m) }
}

const EVERY: Wish = { topic: 'readings', mode: 'every', meters: ['m-1'] }
const id = 'readings-1'
const readings = (count: number, token?: string): ServerMessage => ({
  type: 'readings',
  id,
  items: Array.from({ length: count }, () => ({
    ...{ meterId: 'm-1', channel: 'power_w', at: '2026-11-20T00:00:00.000000Z' },
    ...{ value: 1, quality: 'MEASURED' as const, seq: null },
  })),
  ...(token === undefined ? {} : { token }),
})

describe('a live session', () => {
  test('subscribes when it is greeted, and at once where it was', () => {
    const { sent, session, listener, take } = rig()
    session.subscribe(EVERY, listener)
    assert.deepEqual(sent, [])
    take(HELLO)
    assert.deepEqual(sent, [{ type: 'subscribe', id, ...EVERY }])
    session.subscribe({ topic: 'anomalies', mode: 'every' }, listener)
    assert.equal(sent.length, 2)
  })

  test('goes on from the newest token, and from an older one where a message has none', () => {
    const { sent, told, session, listener, take } = rig()
    session.subscribe(EVERY, listener)
    take(HELLO)
    take({ type: 'subscribed', id, resumed: false, token: 't0' })
    take(readings(2, 't1'))
    take(readings(1))
    session.closed()
    take(HELLO)
    assert.deepEqual(sent.at(-1), { type: 'subscribe', id, ...EVERY, token: 't1' })
    take({ type: 'subscribed', id, resumed: true, token: 't1' })
    take(readings(3, 't2'))
    assert.deepEqual(told, ['began', '2 items', '1 items', 'resumed', '3 items'])
  })

  test('keeps the token of before where the connection is lost before it is answered', () => {
    const { sent, session, listener, take } = rig()
    session.subscribe(EVERY, listener)
    take(HELLO)
    take({ type: 'subscribed', id, resumed: false, token: 't0' })
    session.closed()
    take(HELLO)
    session.closed()
    take(HELLO)
    assert.deepEqual(sent.at(-1), { type: 'subscribe', id, ...EVERY, token: 't0' })
  })

  test('tells of a resync once, with its reason, when the feed has begun again', () => {
    const { told, session, listener, take } = rig()
    session.subscribe(EVERY, listener)
    take(HELLO)
    take({ type: 'subscribed', id, resumed: false, token: 't0' })
    session.closed()
    take(HELLO)
    take({ type: 'resync', id, reason: 'too old' })
    assert.deepEqual(told, ['began'])
    take({ type: 'subscribed', id, resumed: false, token: 't9' })
    session.closed()
    take(HELLO)
    take({ type: 'subscribed', id, resumed: false, token: 't9' })
    assert.deepEqual(told, ['began', 'began too old', 'began'])
  })

  test('hands on nothing of what was unsubscribed from', () => {
    const { sent, told, session, listener, take } = rig()
    const end = session.subscribe(EVERY, listener)
    take(HELLO)
    end()
    end()
    take(readings(1, 't1'))
    assert.deepEqual(told, [])
    assert.deepEqual(sent.slice(1), [{ type: 'unsubscribe', id }])
    session.closed()
    take(HELLO)
    assert.equal(sent.length, 2)
  })

  test('tells why a subscription was refused', () => {
    const { told, session, listener, take } = rig()
    session.subscribe(EVERY, listener)
    take(HELLO)
    take({ type: 'error', id, code: 'live.x', message: 'too many' })
    take({ type: 'error', code: 'live.y', message: "nobody's" })
    assert.deepEqual(told, ['refused too many'])
  })
})

test('attempts come further and further apart, up to a limit, and never together', () => {
  assert.equal(backoffMs(0, 0), 250)
  assert.equal(backoffMs(3, 1), 4_000)
  const chance = fc.double({ min: 0, max: 1, noNaN: true })
  fc.assert(
    fc.property(fc.nat(10_000), chance, (attempt, c) => {
      const ms = backoffMs(attempt, c)
      assert.ok(ms >= 250 && ms <= 20_000)
      assert.ok(backoffMs(attempt + 1, c) >= ms)
    }),
  )
})

test('a batch hands over once what came before the frame, in its order', () => {
  const frames: (() => void)[] = []
  const used: (readonly number[])[] = []
  const batch = new Batch<number>(
    (work) => frames.push(work),
    (items) => used.push(items),
  )
  batch.add([])
  assert.equal(frames.length, 0)
  batch.add([1, 2])
  batch.add([3])
  assert.equal(frames.length, 1)
  frames[0]!()
  batch.add([4])
  frames[1]!()
  assert.deepEqual(used, [[1, 2, 3], [4]])
})

test('the status says when what is shown has become old', () => {
  const facts = { isOpen: false, wasOpen: false, sinceMs: 1_000 }
  assert.equal(statusOf(facts, 1_000), 'connecting')
  assert.equal(statusOf({ ...facts, wasOpen: true }, 1_000), 'reconnecting')
  assert.equal(statusOf({ ...facts, wasOpen: true }, 1_000 + STALE_AFTER_MS), 'stale')
  assert.equal(statusOf({ ...facts, isOpen: true }, 1e9), 'live')
})
