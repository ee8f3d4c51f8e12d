import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Slices } from '../../src/engine/restore.ts'
import type { StreamTask } from '../../src/engine/stream-task.ts'
import { systemScheduler } from '../../src/kernel/time.ts'
import type { RecordBatch } from '../../src/log/log.ts'

const RECORDS = 1_000

// As records are that copy pages which a snapshot has frozen.
test('slow records do not hold the event loop for long', async () => {
  let nowMs = 0
  let turnedMs = 0
  let heldMsMax = 0
  const scheduler = {
    ...systemScheduler,
    monotonicMillis: () => nowMs,
    turn: () => {
      heldMsMax = Math.max(heldMsMax, nowMs - turnedMs)
      turnedMs = nowMs
      return Promise.resolve()
    },
  }
  let taken = 0
  const task = {
    prepare: () => Promise.resolve(),
    process(_batch: RecordBatch, from = 0, to = 0) {
      assert.equal(from, taken, 'records come in their order')
      taken = to
      nowMs += to - from
    },
  }
  await new Slices(scheduler).run(task as unknown as StreamTask, { count: RECORDS } as RecordBatch)
  assert.equal(taken, RECORDS)
  assert.ok(heldMsMax > 0 && heldMsMax <= 20, `${heldMsMax} ms`)
})
