import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { LIMITS } from '../../src/kernel/limits.ts'
import { minutes } from '../../src/kernel/time.ts'
import { faultProxy } from '../sinks/fault-proxy.ts'
import { residentMb } from '../support/processes.ts'
import { questdbQuery } from '../support/questdb.ts'
import { aReading, START } from '../support/readings.ts'
import { startProcessors } from './role-pair.ts'
import { SESSION_MS, SHORT_SESSION } from './short-session.ts'

// Goal: a QuestDB that accepts connections and answers nothing slows the source down, and nothing
// else: the processor keeps its partitions and a bounded memory, and goes on by itself.

const METERS = Array.from({ length: 30 }, (_, i) => `m-${i}`)
/** Each reading makes two rows at least: of what comes, half may wait. */
const MINUTES = Math.ceil(LIMITS.engineOutputRowsMax / METERS.length)
const MINUTES_AT_ONCE = 100
/** Its task, and what of its input and output waits. */
const GROWN_MB_MAX = 250
const WAIT_SECONDS_MAX = 90

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 1_000 * WAIT_SECONDS_MAX
  while (!(await holds())) {
    assert.ok(performance.now() < deadlineMs, `not within ${WAIT_SECONDS_MAX} s: ${what}`)
    await sleep(200)
  }
}

test('a QuestDB that stalls under load costs time, and no more', async (t) => {
  const proxy = await faultProxy(t, process.env['QUESTDB_URL']!)
  const pair = await startProcessors(t, [proxy.url], SHORT_SESSION)
  const [processor] = pair.processors
  const { pid, opsUrl } = processor!
  const valueOf = async (name: string) => {
    const text = await (await fetch(`${opsUrl}/metrics`)).text()
    return Number(new RegExp(`^meterloom_engine_${name} (\\d+)`, 'm').exec(text)?.[1])
  }
  await until('all partitions', async () => (await valueOf('partitions')) === 3)
  const beforeMb = residentMb([pid])

  for (let i = 0; i < 1_000; i++) proxy.faults.push('hang')
  for (let from = 0; from < MINUTES; from += MINUTES_AT_ONCE) {
    const count = Math.min(MINUTES_AT_ONCE, MINUTES - from)
    const times = Array.from({ length: count }, (_, i) => START + minutes(from + i))
    const powerW = 100 + (from % 7)
    await pair.append(
      times.flatMap((at) => METERS.map((id) => aReading(id, 'power_w', at, powerW))),
    )
  }
  const ends = await pair.log.endOffsets(pair.topics.readings)
  const all = ends.reduce((sum, end) => sum + end, 0)

  // It takes in until enough waits, and then no more for as long as the stall goes on.
  let taken = -1
  await until('the source to stand', async () => {
    const before = taken
    await sleep(1_000)
    taken = await valueOf('records_total')
    return taken > 0 && taken === before
  })
  let residentMbMax = 0
  const overMs = performance.now() + 2 * SESSION_MS
  while (performance.now() < overMs) {
    residentMbMax = Math.max(residentMbMax, residentMb([pid]))
    assert.ok((await fetch(`${opsUrl}/health`)).ok)
    await sleep(200)
  }
  assert.equal(await valueOf('records_total'), taken)
  assert.ok(taken < all, `back-pressure was not reached: ${taken} of ${all} were taken in`)
  assert.equal(await valueOf('partitions'), 3, 'the group keeps its member')
  assert.ok(residentMbMax - beforeMb < GROWN_MB_MAX, `from ${beforeMb} to ${residentMbMax} MB`)
  t.diagnostic(`${taken} of ${all} taken in; ${beforeMb} MB, then at most ${residentMbMax} MB`)
  await until('to be told of', async () => {
    const ready = await fetch(`${opsUrl}/ready`)
    return ready.status === 503 && /questdb: rows of .* wait for/.test(await ready.text())
  })

  proxy.faults.length = 0
  await until('all to be committed', async () => (await pair.committed()).join() === ends.join())
  await until('all rows to be visible', async () => {
    const table = `${pair.config.tablePrefix}readings`
    const [[count] = []] = await questdbQuery(
      pair.config.questdbUrl,
      `select count() from '${table}'`,
    )
    return Number(count) === all
  })
  await until('all rows to be right', async () => (await pair.differences()) === '')
  await until('readiness', async () => (await fetch(`${opsUrl}/ready`)).ok)
  for (const name of ['stale_sends_total', 'stale_commits_total']) {
    assert.equal(await valueOf(name), 0, `${name}: the group has never changed`)
  }
  assert.equal(await processor!.stop(), 0, processor!.output())
})
