import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { minutes } from '../../src/kernel/time.ts'
import { faultProxy, type HeldWrite } from '../sinks/fault-proxy.ts'
import { settled } from '../support/pipeline.ts'
import { questdbQuery } from '../support/questdb.ts'
import { aReading, aMeter, START } from '../support/readings.ts'
import { startProcessors } from './role-pair.ts'
import { SHORT_SESSION } from './short-session.ts'

// Goal: a processor that is stopped past its session with rows on the line, and goes on when
// another one has restated them, leaves no older row visible and none doubled. Scenario 10 of
// docs/faults.md does it under a load.

const METERS = Array.from({ length: 12 }, (_, i) => `m-${i}`)
const SETTLED_SECONDS_MAX = 60
const RIGHT_SECONDS_MAX = 60

/** Of an hour minute windows close with each minute, quarters and the spans above them too. */
function readingsOf(meters: readonly string[], fromMinute: number, count: number, powerW: number) {
  return meters.flatMap((id) =>
    aMeter(id, START + minutes(fromMinute)).minutes(count, { power_w: powerW }),
  )
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 1_000 * RIGHT_SECONDS_MAX
  while (!(await holds())) {
    assert.ok(performance.now() < deadlineMs, `not within ${RIGHT_SECONDS_MAX} s: ${what}`)
    await sleep(100)
  }
}

/** The windows of one minute in held writes: `meter|microseconds` and the revision. */
function heldWindows(held: readonly HeldWrite[]): ReadonlyMap<string, number> {
  const lines = held.map(({ body }) => body.toString('latin1')).join('')
  const row = /windows,[^ ]*meter_id=([^,]+),[^ ]*width=1m [^]*?,revision=(\d+)i (\d+)t\n/g
  return new Map(
    [...lines.matchAll(row)].map(([, meter, revision, at]) => [`${meter}|${at}`, Number(revision)]),
  )
}

test('a processor that was frozen past its session leaves no older row', async (t) => {
  const proxy = await faultProxy(t, process.env['QUESTDB_URL']!)
  const urls = [proxy.url, process.env['QUESTDB_URL']!]
  const pair = await startProcessors(t, urls, SHORT_SESSION)
  const { config, log } = pair
  const [victim] = pair.processors

  const visible = async () => {
    const rows = await questdbQuery(
      config.questdbUrl,
      `select meter_id, cast(ts as long), revision from '${config.tablePrefix}windows' ` +
        "where width = '1m'",
    )
    return new Map(
      rows.map(([meter, at, revision]) => [`${String(meter)}|${Number(at)}`, Number(revision)]),
    )
  }

  await pair.append(readingsOf(METERS, 0, 20, 100))
  await until('both at work', async () => (await pair.differences()) === '')
  for (let i = 0; i < 100; i++) proxy.faults.push('hold')
  await pair.append(readingsOf(METERS, 20, 20, 100))
  await until('windows on the line', () => heldWindows(proxy.held).size > 20)
  victim!.pause()
  const held = heldWindows(proxy.held)
  const stood = await pair.committed()

  // The other one has the partitions of both when this is done, and has restated what is held.
  await pair.append(METERS.map((id) => aReading(id, 'power_w', START + minutes(41), 100)))
  await pair.append(
    METERS.flatMap((id) =>
      Array.from({ length: 10 }, (_, i) =>
        aReading(id, 'power_w', START + minutes(21 + i), 500 + i, { seq: 1 }),
      ),
    ),
  )
  await settled(config, log, SETTLED_SECONDS_MAX)
  const moved = await pair.committed()
  assert.ok(
    moved.every((offset, p) => offset > stood[p]!),
    'all partitions have gone on',
  )
  assert.equal(await pair.differences(), '', 'before the frozen write arrives')
  const restated = await visible()
  const older = [...held].filter(([window, revision]) => restated.get(window)! > revision)
  assert.ok(older.length > 10, `only ${older.length} of ${held.size} held windows were restated`)

  await Promise.all(proxy.held.map((write) => write.release()))
  await until('the frozen rows are visible', async () => {
    const now = await visible()
    return older.every(([window, revision]) => now.get(window) === revision)
  })
  assert.notEqual(await pair.differences(), '')

  proxy.faults.length = 0
  victim!.resume()
  await until('the newest form of each row', async () => (await pair.differences()) === '')
  for (const [window, revision] of await visible()) assert.equal(revision, restated.get(window))
  await pair.append(readingsOf(METERS, 42, 5, 100))
  await until('what came since', async () => (await pair.differences()) === '')
  for (const one of pair.processors) assert.equal(await one.stop(), 0, one.output())
})
