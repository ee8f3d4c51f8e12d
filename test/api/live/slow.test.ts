import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CLOSE_CODES } from '../../../src/api/contract/live.ts'
import type { WindowItem } from '../../../src/api/contract/items.ts'
import { LiveClient } from '../../support/live-client.ts'
import { onFreePorts, spawnRole } from '../../support/roles.ts'
import { aWindow, liveStage } from '../../support/live-stage.ts'

// Goal: who does not read is closed within ten seconds and costs neither memory nor the others
// anything.

const MEGABYTE = 1024 * 1024
const STALLED = 20
const GOOD = 20
const ROUNDS = 12
const WINDOWS_A_ROUND = 1_000
/** What the frames of all clients would take, if each were kept for each. */
const KEPT_MB_MAX = 120

async function metric(opsUrl: string, name: string): Promise<number> {
  const text = await (await fetch(`${opsUrl}/metrics`)).text()
  return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1])
}

test('stalled readers are closed with their reason; the others get everything', async (t) => {
  const stage = await liveStage(t)
  const config = await onFreePorts(stage.config)
  // Its own process: its memory is looked at.
  const api = spawnRole(t, 'api', config)
  const clients = await connect(t, api.opsUrl)
  const residentBefore = await metric(api.opsUrl, 'process_resident_memory_bytes')
  for (const client of clients.slice(0, STALLED)) client.ws.pause()
  const stalledAtMs = performance.now()
  for (let round = 0; round < ROUNDS; round++) {
    // Each some 900 bytes: what the sockets themselves take is soon full.
    await stage.windows(
      Array.from({ length: WINDOWS_A_ROUND }, (_, n) =>
        aWindow(`m-${n % 50}`, round * WINDOWS_A_ROUND + n, { channel: 'c'.repeat(200) }),
      ),
    )
    await sleep(100)
  }
  const good = clients.slice(STALLED)
  const total = ROUNDS * WINDOWS_A_ROUND
  for (const client of good) {
    await client.until('all windows', () => client.items('w').length >= total, 60_000)
  }
  const readers = good.map((client) => client.items<WindowItem>('w').map((one) => one.revision))
  for (const revisions of readers) assert.equal(new Set(revisions).size, total)

  while ((await metric(api.opsUrl, 'meterloom_live_slow_readers_total')) < STALLED) {
    assert.ok(performance.now() - stalledAtMs < 60_000, 'the stalled are still there')
    await sleep(200)
  }
  const grownMb =
    ((await metric(api.opsUrl, 'process_resident_memory_bytes')) - residentBefore) / MEGABYTE
  t.diagnostic(`${total} windows to ${GOOD} readers beside ${STALLED} stalled: +${grownMb} MB`)
  assert.ok(grownMb < KEPT_MB_MAX, `${grownMb} MB more`)
  assert.equal(await metric(api.opsUrl, 'meterloom_live_connections'), GOOD)
  assert.ok(good.every(({ closed }) => closed === undefined))

  // Who wakes up finds the reason behind what it had not read.
  const stalled = clients.slice(0, STALLED)
  for (const client of stalled) client.ws.resume()
  for (const client of stalled) await client.until('the close', () => client.closed)
  const codes = new Set(stalled.map(({ closed }) => closed!.code))
  // Cut off before the close frame could go out, a client sees the line break: 1006.
  assert.ok([...codes].every((code) => code === CLOSE_CODES.slowReader || code === 1006))
  const late = await LiveClient.open(api.opsUrl)
  t.after(() => late.cut())
  const token = stalled[0]!.tokenOf('w')
  const asked = { id: 'w', topic: 'windows', mode: 'every' } as const
  assert.equal(await late.subscribe({ ...asked, token }), true)
  const seen = () => stalled[0]!.items('w').length + late.items('w').length
  await late.until('the rest', () => seen() >= total, 60_000)
  assert.equal(seen(), total)
})

async function connect(t: { after(f: () => void): void }, opsUrl: string) {
  const deadlineMs = performance.now() + 20_000
  for (;;) {
    const health = await fetch(`${opsUrl}/health`).catch(() => undefined)
    if (health?.ok === true && (await metric(opsUrl, 'meterloom_role_ready')) === 1) break
    assert.ok(performance.now() < deadlineMs, 'the api is not ready')
    await sleep(100)
  }
  const clients: LiveClient[] = []
  t.after(() => {
    for (const client of clients) client.cut()
  })
  for (let i = 0; i < STALLED + GOOD; i++) {
    const client = await LiveClient.open(opsUrl)
    clients.push(client)
    await client.subscribe({ id: 'w', topic: 'windows', mode: 'every' })
  }
  return clients
}
