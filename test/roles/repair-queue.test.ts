import assert from 'node:assert/strict'
import test from 'node:test'
import { RepairQueue } from '../../src/roles/repair-queue.ts'
import type { RepairRequest } from '../../src/schemas/records.ts'

const DAY = 86_400_000_000

const samples: RepairRequest = {
  ...{ tenant: 'demo', meterId: 'm-1', from: DAY + 5, to: DAY + 9, partition: 0, offset: 7 },
  ...{ channel: null, width: null },
}
const day = { ...samples, from: DAY, to: DAY, channel: 'power_w', width: '1d' }

test('samples of a meter and day wait together, and each day and month by itself', () => {
  const queue = new RepairQueue()
  const add = (request: RepairRequest, offset: number) =>
    queue.add(request, { partition: 3, offset }, 0)
  assert.equal(add(samples, 10), false)
  assert.equal(add({ ...samples, from: DAY + 2, offset: 8 }, 11), true)
  assert.equal(add(day, 12), false)
  assert.equal(add({ ...day, width: '1mo' }, 13), false)
  assert.equal(add({ ...day, channel: 'energy_wh' }, 14), false)
  assert.equal(add({ ...day, offset: 9 }, 15), true)
  const due = queue.due(0).map(({ from, to, offset, width }) => ({ from, to, offset, width }))
  assert.deepEqual(due.slice(0, 2), [
    { from: DAY + 2, to: DAY + 9, offset: 8, width: null },
    { from: DAY, to: DAY, offset: 9, width: '1d' },
  ])
  assert.equal(due.length, 4)
  assert.equal(queue.doneUpTo(3, 16), 10)
  queue.done(queue.due(0)[0]!)
  assert.equal(queue.doneUpTo(3, 16), 12)
})
