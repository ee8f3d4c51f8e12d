import assert from 'node:assert/strict'
import test from 'node:test'
import type { TaskState } from '../../src/engine/state/task-state.ts'
import { minutes } from '../../src/kernel/time.ts'
import { drive } from '../support/drive.ts'
import { aMeter, START } from '../support/readings.ts'
import { SecondStage } from '../support/two-stages.ts'

/** What a snapshot does: pages that were written, and then what is not in pages. */
function copy(from: TaskState, to: TaskState): void {
  const parts = new Map([...to.parts].map(({ id, part }) => [id, part]))
  for (const { id, part } of from.parts) {
    for (const [name, array] of Object.entries(part.arrays)) {
      const target = parts.get(id)!.arrays[name]!
      array.freeze(true, (index, page) => {
        target.loadPage(index, new Uint8Array(page.buffer.slice(0)))
      })
    }
  }
  for (const { id, part } of from.parts) {
    if (part.save !== undefined) parts.get(id)!.load?.(part.save())
    for (const piece of part.pieces?.() ?? []) parts.get(id)!.loadPiece?.(piece)
  }
}

test('totals go on from a snapshot as if nothing had been', async () => {
  const driver = drive()
  // The total of a time that has not come yet would be one meter's clock.
  driver.clock.micros = START
  const meters = [aMeter('m-1'), aMeter('m-2')]
  const more = async () => {
    driver.advanceAppendTime(minutes(60))
    for (const meter of meters) driver.append(meter.quarterHours(4, { power_w: 100 }))
    driver.advanceAppendTime(minutes(1))
    await driver.run()
  }
  await more()
  const straight = new SecondStage(driver, { partitions: 1 })
  const restored = new SecondStage(driver, { partitions: 1 })
  await straight.run()
  copy(straight.tasks[0]!.state, restored.tasks[0]!.state)
  await more()
  const before = straight.emitted.length
  await straight.run()
  await restored.run()
  assert.ok(restored.emitted.length > 0, 'there must be totals after the snapshot')
  assert.deepEqual(restored.emitted, straight.emitted.slice(before))
})
