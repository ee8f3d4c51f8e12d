import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { HandClock } from '../../src/engine/driver.ts'
import type { Lane } from '../../src/engine/lane.ts'
import { watch } from '../../src/engine/watch.ts'
import type { WatchOptions } from '../../src/engine/watch.ts'
import { hasCode } from '../../src/kernel/errors.ts'
import { LIMITS } from '../../src/kernel/limits.ts'
import { systemClock } from '../../src/kernel/time.ts'
import { MemoryLog } from '../../src/log/memory.ts'

const INPUT = 'readings'
const EVERY_MS = 1_000
const LONG_MS = 3 * LIMITS.engineStuckMs

/**
 * A runtime with one partition of ten records, of which `committed` are done, watched for `LONG_MS`
 * in a time that passes as fast as it is waited for.
 */
async function watched(
  committed: (nowMs: number) => number,
  overrides: Partial<WatchOptions> = {},
  atEach: (nowMs: number, log: MemoryLog) => void = () => undefined,
) {
  const log = new MemoryLog(new HandClock())
  await log.createTopics([{ topic: INPUT, partitions: 1, settings: {} }])
  log.appendNow(
    INPUT,
    Array.from({ length: 10 }, () => ({ key: null, value: null })),
  )
  let nowMs = 0
  const stop = new AbortController()
  const failures: { readonly error: unknown; readonly atMs: number }[] = []
  await watch({
    ...{ log, input: INPUT, partitions: 1, everyMs: EVERY_MS, stop: stop.signal },
    scheduler: {
      ...systemClock,
      monotonicMillis: () => nowMs,
      async sleep(millis) {
        nowMs += millis
        atEach(nowMs, log)
        if (nowMs > LONG_MS) stop.abort()
        await turn()
      },
      turn: () => turn(),
    },
    lanes: () => {
      const done = committed(nowMs)
      return new Map([[0, { processed: 10, flushed: done, committed: done } as Lane]])
    },
    restoring: () => 0,
    away: () => [],
    onFailed: (error) => failures.push({ error, atMs: nowMs }),
    ...overrides,
  })
  return failures.at(0)
}

test('an engine that stands still though there is work fails, and tells where it is', async () => {
  const failed = await watched(() => 4)
  assert.ok(hasCode(failed?.error, 'engine.standsStill'))
  assert.match(String(failed.error), /6 records.*0: taken in 10, sent 4, committed 4, end 10/)
  assert.ok(failed.atMs <= LIMITS.engineStuckMs + 2 * EVERY_MS, `only after ${failed.atMs} ms`)
})

test('one that gets on, however slowly, does not', async () => {
  const slow = LIMITS.engineStuckMs - 5 * EVERY_MS
  assert.equal(await watched((nowMs) => Math.floor(nowMs / slow)), undefined)
})

test('one without work does not', async () => {
  assert.equal(await watched(() => 10), undefined)
})

test('one that waits for a sink that is away does not, and has its time afterwards', async () => {
  const away = () => ['questdb: rows wait']
  assert.equal(await watched(() => 4, { away }), undefined)
  let nowMs = 0
  const failed = await watched(
    () => 4,
    { away: () => (nowMs < LIMITS.engineStuckMs ? ['questdb: rows wait'] : []) },
    (now) => (nowMs = now),
  )
  assert.ok(failed!.atMs >= 2 * LIMITS.engineStuckMs)
})

test('one whose state is being made anew does not', async () => {
  assert.equal(await watched(() => 4, { restoring: () => 1 }), undefined)
})

test('one whose log is away does not', async () => {
  const atEach = (_now: number, log: MemoryLog) => {
    log.endOffsets = () => Promise.reject(new Error('no broker'))
  }
  assert.equal(await watched(() => 4, {}, atEach), undefined)
})

test('partitions that are added while it runs are refused, with what to do', async () => {
  const atEach = (nowMs: number, log: MemoryLog) => {
    if (nowMs > 5 * EVERY_MS) log.partitionCount = () => Promise.resolve(3)
  }
  const failed = await watched(() => 10, {}, atEach)
  assert.ok(hasCode(failed?.error, 'engine.partitionsChanged'))
  assert.match(String(failed.error), /has 3 partitions, and had 1.*TOPIC_PREFIX.*replay/)
})
