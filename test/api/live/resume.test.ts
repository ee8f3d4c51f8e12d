import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Tokens } from '../../../src/api/live/token.ts'
import type { AnomalyItem, ReadingItem } from '../../../src/api/contract/items.ts'
import { minutes } from '../../../src/kernel/time.ts'
import type { LiveClient } from '../../support/live-client.ts'
import { aReading } from '../../support/readings.ts'
import { anAnomaly, BEGIN, liveStage, SECRET } from '../../support/live-stage.ts'

// Goal: a client that was cut off goes on from its token without a gap and without a double, at
// this api process or another; where that cannot be, it is told so.

const EVERY = { id: 'a', topic: 'anomalies', mode: 'every' } as const
const runs = (client: LiveClient) => client.items<AnomalyItem>('a').map(({ run }) => run)
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

test('a feed goes on where it was, at another api too, and repeats are told once', async (t) => {
  const stage = await liveStage(t, { partitions: 1 })
  const [one, other] = [await stage.api(), await stage.api()]
  const told = (from: number, to: number) =>
    stage.anomalies(range(from, to).map((n) => [n, anAnomaly(`m-${n % 7}`, n, { run: n })]))

  const first = await stage.client(one)
  await first.subscribe(EVERY)
  await told(0, 20)
  await first.until('the first', () => runs(first).length === 20)
  first.cut()
  // A processor that was killed writes again what it had written, before it goes on.
  await told(15, 20)
  await told(20, 40)

  const second = await stage.client(other)
  assert.equal(await second.subscribe({ ...EVERY, token: first.tokenOf('a') }), true)
  await told(35, 40)
  await told(40, 60)
  await second.until('the rest', () => runs(second).length >= 40)
  await sleep(400)
  assert.deepEqual([...runs(first), ...runs(second)], range(0, 60))

  // From the token of a subscription that has told nothing yet.
  const third = await stage.client(one)
  await third.subscribe(EVERY)
  const token = third.tokenOf('a')
  third.cut()
  await told(60, 65)
  const fourth = await stage.client(one)
  assert.equal(await fourth.subscribe({ ...EVERY, token }), true)
  await fourth.until('what came', () => runs(fourth).length === 5)
  assert.deepEqual(runs(fourth), range(60, 65))
})

test('a token from before the first record of the log is gone on from', async (t) => {
  const stage = await liveStage(t)
  const url = await stage.api()
  const first = await stage.client(url)
  await first.subscribe(EVERY)
  first.cut()
  await stage.anomalies(range(0, 10).map((n) => [n, anAnomaly(`m-${n}`, n, { run: n })]))
  const other = await stage.client(url)
  await other.subscribe({ id: 'all', topic: 'anomalies', mode: 'every' })
  const second = await stage.client(url)
  assert.equal(await second.subscribe({ ...EVERY, token: first.tokenOf('a') }), true)
  await second.until('what came', () => runs(second).length === 10)
})

test('many that return while readings pour in miss none, each of its own meter', async (t) => {
  const stage = await liveStage(t)
  const url = await stage.api()
  const meters = range(0, 20).map((n) => `m-${n}`)
  let minute = 0
  const pour = async (count: number) => {
    for (const end = minute + count; minute < end; minute++) {
      const at = BEGIN + minutes(minute)
      await stage.readings(meters.map((meterId) => aReading(meterId, 'power_w', at, minute)))
    }
  }
  const ask = (meterId: string) => ({
    id: 'r',
    topic: 'readings' as const,
    mode: 'every' as const,
    meters: [meterId],
  })
  const values = (client: LiveClient) => client.items<ReadingItem>('r').map(({ value }) => value)
  const seen = new Map<string, (number | null)[]>()
  let clients = new Map<string, LiveClient>()
  const connect = async () => {
    const entries = meters.map(async (meterId): Promise<[string, LiveClient]> => {
      const before = clients.get(meterId)
      const client = await stage.client(url)
      const token = before?.tokenOf('r')
      const resumed = await client.subscribe({ ...ask(meterId), ...(token && { token }) })
      const why = JSON.stringify(client.messages).slice(0, 600)
      assert.equal(resumed, before !== undefined, why)
      return [meterId, client]
    })
    clients = new Map(await Promise.all(entries))
  }
  await connect()
  for (let round = 0; round < 4; round++) {
    const pouring = pour(60)
    await sleep(100 + 50 * round)
    for (const [meterId, client] of clients) {
      client.cut()
      seen.set(meterId, [...(seen.get(meterId) ?? []), ...values(client)])
    }
    await connect()
    await pouring
  }
  for (const [meterId, client] of clients) {
    const all = () => [...(seen.get(meterId) ?? []), ...values(client)]
    await client.until(`all of ${meterId}`, () => all().length >= minute)
    assert.deepEqual(all(), range(0, minute), meterId)
  }
})

test('a token that cannot be gone on from is answered with resync, then what comes', async (t) => {
  const stage = await liveStage(t)
  const client = await stage.client(await stage.api())
  await client.subscribe(EVERY)
  await stage.anomalies([[1, anAnomaly('m-1', 1)]])
  await client.until('one', () => client.items('a').length === 1)
  const token = client.tokenOf('a')
  const place = new Tokens(SECRET).read(token)!
  const forged = (more: object) => new Tokens(SECRET).issue({ ...place, ...more })
  const cases: readonly (readonly [token: string, reason: RegExp])[] = [
    ['nonsense', /none that this api has signed/],
    [new Tokens('another secret').issue(place), /none that this api has signed/],
    [token.replace(/.$/, (last) => (last === 'A' ? 'E' : 'A')), /none that this api has signed/],
    [forged({ tenant: 'other' }), /another tenant's/],
    [forged({ topic: 'windows' }), /one of topic windows/],
    [forged({ epoch: 3 }), /made anew/],
    [forged({ logMillis: place.logMillis - 301_000 }), /older than 5 min/],
    [forged({ partitions: place.partitions.slice(1) }), /other partitions/],
  ]
  for (const [i, [wrong, reason]] of cases.entries()) {
    const id = `case ${i}`
    assert.equal(await client.subscribe({ ...EVERY, id, token: wrong }), false)
    const said = client.messages.find((one) => one.type === 'resync' && one.id === id)
    assert.match(said !== undefined && 'reason' in said ? said.reason : '', reason)
  }
  await stage.anomalies([[2, anAnomaly('m-1', 2)]])
  const last = `case ${cases.length - 1}`
  await client.until('what comes', () => client.items(last).length === 1)
})
