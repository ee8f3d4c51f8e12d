import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AnomalyItem, ReadingItem, WindowItem } from '../../../src/api/contract/items.ts'
import { minutes } from '../../../src/kernel/time.ts'
import { aReading } from '../../support/readings.ts'
import { aWindow, anAnomaly, BEGIN, liveStage } from '../../support/live-stage.ts'

// Goal: a client is told what it asked for and nothing else, as it comes. Kafka and QuestDB are
// real.

/** What would have come wrongly has had the time to come. */
const LATER_MS = 400

test('mode latest begins with what is known, and goes on with the newest', async (t) => {
  const stage = await liveStage(t)
  await stage.readings([
    aReading('m-1', 'power_w', BEGIN, 100),
    aReading('m-1', 'voltage_v', BEGIN, 230),
    aReading('m-2', 'power_w', BEGIN, 50),
  ])
  const client = await stage.client(await stage.api())
  const asked: Parameters<typeof client.subscribe>[0] = {
    id: 'mine',
    topic: 'readings',
    mode: 'latest',
    meters: ['m-1'],
  }
  assert.equal(await client.subscribe(asked), false)
  await client.until('what is known', () => client.items('mine').length === 2)

  await stage.readings([
    aReading('m-1', 'power_w', BEGIN + minutes(2), 120, { seq: 7 }),
    aReading('m-1', 'power_w', BEGIN + minutes(1), 110),
    aReading('m-2', 'power_w', BEGIN + minutes(1), 60),
    aReading('m-1', 'power_w', BEGIN + minutes(2), 1, { tenant: 'other' }),
  ])
  await client.until('the newest', () => client.items('mine').length === 3)
  await sleep(LATER_MS)
  const told = client.items<ReadingItem>('mine')
  assert.deepEqual(told.at(-1), {
    meterId: 'm-1',
    channel: 'power_w',
    at: '2026-11-20T00:02:00.000000Z',
    value: 120,
    quality: 'MEASURED',
    seq: 7,
  })
  assert.deepEqual(told.map(({ value }) => value).sort(), [100, 120, 230])

  client.say({ type: 'unsubscribe', id: 'mine' })
  await client.heard('unsubscribed')
  await stage.readings([aReading('m-1', 'power_w', BEGIN + minutes(3), 130)])
  await sleep(LATER_MS)
  assert.equal(client.items('mine').length, told.length)
})

test('mode every tells each item once, in the order of its meter', async (t) => {
  const stage = await liveStage(t)
  const url = await stage.api()
  const [all, one] = [await stage.client(url), await stage.client(url)]
  await all.subscribe({ id: 'all', topic: 'readings', mode: 'every' })
  await one.subscribe({
    ...{ id: 'one', topic: 'readings', mode: 'every', meters: ['m-3'] },
    channels: ['power_w'],
  })
  const meters = ['m-1', 'm-2', 'm-3', 'm-4']
  for (let minute = 0; minute < 50; minute++) {
    const at = BEGIN + minutes(minute)
    await stage.readings(
      meters.flatMap((meterId) => [
        aReading(meterId, 'power_w', at, minute),
        aReading(meterId, 'voltage_v', at, 230),
      ]),
    )
  }
  await all.until('all of them', () => all.items('all').length >= 400)
  await one.until('those of one', () => one.items('one').length >= 50)
  const values = one.items<ReadingItem>('one').map(({ meterId, value }) => `${meterId} ${value}`)
  assert.deepEqual(
    values,
    Array.from({ length: 50 }, (_, minute) => `m-3 ${minute}`),
  )
  for (const meterId of meters) {
    const own = all.items<ReadingItem>('all').filter((item) => item.meterId === meterId)
    assert.equal(new Set(own.map(({ channel, at }) => channel + at)).size, 100)
    const times = own.filter(({ channel }) => channel === 'power_w').map(({ at }) => at)
    assert.deepEqual(times, times.toSorted())
  }
})

test('windows and anomalies come with all their fields, by width, kind and place', async (t) => {
  const stage = await liveStage(t)
  const client = await stage.client(await stage.api())
  await client.subscribe({ id: 'w', topic: 'windows', mode: 'latest', widths: ['15m'] })
  await client.subscribe({ id: 'a', topic: 'anomalies', mode: 'every', kinds: ['energy_spike'] })
  await client.subscribe({ id: 'p', topic: 'anomalies', mode: 'every', places: ['nowhere'] })
  await stage.windows([aWindow('m-1', 1), aWindow('m-1', 2, { width: '1h' })])
  await stage.anomalies([
    [10, anAnomaly('m-1', 1)],
    [11, anAnomaly('m-1', 1, { kind: 'consecutive_anomalies' })],
    [12, anAnomaly('m-1', 1, { state: 'retracted', revision: 2, score: null })],
  ])
  await client.until('the window', () => client.items('w').length === 1)
  await client.until('the anomalies', () => client.items('a').length === 2)
  await sleep(LATER_MS)
  assert.deepEqual(client.items<WindowItem>('w'), [
    {
      ...withoutTenant(aWindow('m-1', 1)),
      start: '2026-11-20T00:15:00.000000Z',
      end: '2026-11-20T00:30:00.000000Z',
    },
  ])
  const [first, second] = client.items<AnomalyItem>('a')
  assert.deepEqual(first, {
    ...withoutTenant(anAnomaly('m-1', 1)),
    start: window0(15),
    end: window0(30),
  })
  assert.deepEqual([second!.state, second!.score, second!.revision], ['retracted', null, 2])
  assert.deepEqual(client.items('p'), [])
})

function withoutTenant(record: object): object {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== 'tenant'))
}

const window0 = (minute: number) => `2026-11-20T00:${minute}:00.000000Z`

test('what is wrong with a message is told, and costs nothing else', async (t) => {
  const stage = await liveStage(t)
  const client = await stage.client(await stage.api())
  const refusals: readonly (readonly [message: object | string, code: string, text: RegExp])[] = [
    ['{"type":', 'live.notJson', /no JSON text/],
    ['null', 'live.badMessage', /type is missing, but must be one of subscribe/],
    [{ type: 'sing' }, 'live.badMessage', /type is "sing", but must be one of subscribe/],
    [{ type: 'subscribe', id: 'x', topic: 'readings' }, 'live.badMessage', /mode/],
    [
      { type: 'subscribe', id: 'x', topic: 'readings', mode: 'every', metres: [] },
      'live.badMessage',
      /metres is not known/,
    ],
    [{ type: 'unsubscribe', id: 'none' }, 'live.unknownId', /no subscription 'none'/],
  ]
  for (const [message, code, text] of refusals) {
    const before = client.messages.length
    client.say(message)
    const said = await client.until('the refusal', () => client.messages[before])
    assert.equal(said.type, 'error')
    assert.equal('code' in said && said.code, code)
    assert.match('message' in said ? said.message : '', text)
  }
  await client.subscribe({ id: 'x', topic: 'readings', mode: 'every' })
  client.say({ type: 'subscribe', id: 'x', topic: 'windows', mode: 'every' })
  await client.until('the refusal', () =>
    client.messages.some((one) => one.type === 'error' && one.code === 'live.idTaken'),
  )
  client.say({ type: 'ping' })
  await client.heard('pong')
  assert.equal(client.closed, undefined)
})

test('a page of another site is refused', async (t) => {
  const stage = await liveStage(t)
  const url = await stage.api()
  const upgrade = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' }
  const { request } = await import('node:http')
  const statusWith = (origin: string) =>
    new Promise<number>((resolve, reject) => {
      const headers = { ...upgrade, 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', origin }
      const asked = request(`${url}/api/live`, { headers })
      asked.on('response', (response) => resolve(response.statusCode!))
      asked.on('upgrade', (_response, socket) => {
        socket.destroy()
        resolve(101)
      })
      asked.on('error', reject)
      asked.end()
    })
  assert.equal(await statusWith('http://elsewhere.example'), 403)
  assert.equal(await statusWith(url), 101)
})
