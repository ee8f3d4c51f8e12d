import assert from 'node:assert/strict'
import test from 'node:test'
import { RestatedRows } from '../../src/engine/restated.ts'
import { plainOf, plainText } from '../../src/engine/state/plain.ts'
import { Outputs } from '../../src/engine/rows.ts'
import { Task } from '../../src/engine/task.ts'
import { LIMITS } from '../../src/kernel/limits.ts'
import { hours } from '../../src/kernel/time.ts'
import { topicNames } from '../../src/log/topics.ts'
import { loadCodecs } from '../../src/schemas/codecs.ts'
import type { TableSpec } from '../../src/schemas/tables.ts'
import { pipeline } from '../../topologies/index.ts'
import { drive } from '../support/drive.ts'
import { aReading, START } from '../support/readings.ts'
import { testRegistry } from '../support/registry.ts'

const HOUR = LIMITS.engineRestatedMs

interface Item {
  readonly name: string
  readonly value: number
}

const spec: TableSpec = {
  table: 'rows',
  columns: [
    { name: 'name', type: 'symbol' },
    { name: 'value', type: 'double' },
  ],
  keys: ['name'],
} as never
const cells = [({ name }: Item) => name, ({ value }: Item) => value] as never

function rowsBy(clock: { takenMillis: number }) {
  const rows = new RestatedRows({ spec, cells }, clock)
  return {
    rows,
    push: (name: string, value: number, appendedMillis: number) =>
      rows.push({ name, value } as never, appendedMillis),
  }
}

function held(rows: RestatedRows): string[] {
  const { columns, count } = rows.batch()
  return Array.from({ length: count }, (_, i) => `${columns[0]![i]} ${columns[1]![i]}`)
}

test('who catches up keeps what it restated seconds ago, hours of append time back', () => {
  const clock = { takenMillis: 5_000 }
  const { rows, push } = rowsBy(clock)
  push('a', 1, 0)
  push('b', 1, 3 * HOUR)
  push('a', 2, 9 * HOUR)
  clock.takenMillis += 10_000
  push('c', 1, 20 * HOUR)
  assert.deepEqual(held(rows), ['b 1', 'a 2', 'c 1'])
})

test('rows go that are old by append time and by the clock', () => {
  const clock = { takenMillis: 0 }
  const { rows, push } = rowsBy(clock)
  push('a', 1, 0)
  clock.takenMillis = HOUR
  push('b', 1, HOUR)
  assert.deepEqual(held(rows), ['a 1', 'b 1'], 'an hour is not yet too old')
  clock.takenMillis = HOUR + 1
  push('c', 1, HOUR)
  assert.deepEqual(held(rows), ['a 1', 'b 1', 'c 1'], 'append time stands still')
  push('d', 1, HOUR + 1)
  assert.deepEqual(held(rows), ['b 1', 'c 1', 'd 1'])
})

test('what comes from a snapshot is kept for an hour of the clock of its new owner', () => {
  const before = rowsBy({ takenMillis: 9 * HOUR })
  before.push('a', 1, 0)
  const clock = { takenMillis: 100 }
  const { rows, push } = rowsBy(clock)
  for (const piece of before.rows.pieces()) rows.loadPiece(piece)
  clock.takenMillis += HOUR
  push('b', 1, 5 * HOUR)
  assert.deepEqual(held(rows), ['a 1', 'b 1'])
  clock.takenMillis += 1
  push('c', 1, 6 * HOUR)
  assert.deepEqual(held(rows), ['b 1', 'c 1'])
})

test('there are never more than so many, whatever the clocks say: the oldest go first', () => {
  const { rows, push } = rowsBy({ takenMillis: 0 })
  for (let i = 0; i < LIMITS.engineRestatedRowsMax + 2; i++) push(`r${i}`, i, 0)
  assert.equal(rows.batch().count, LIMITS.engineRestatedRowsMax)
  assert.equal(held(rows)[0], 'r2 2')
})

test('rows are saved as they were, piece by piece, while others come', () => {
  const { rows, push } = rowsBy({ takenMillis: 0 })
  for (let i = 0; i < 1_000; i++) push(`#r${i}`, i % 7 === 0 ? NaN : i / 3, 0)
  const wanted = held(rows)
  const restored = rowsBy({ takenMillis: 0 })
  let pieces = 0
  for (const piece of rows.pieces()) {
    pieces++
    push(`more-${pieces}`, 1, 0)
    push('#r0', pieces, 0)
    assert.ok((piece as readonly unknown[]).length <= 100, 'a piece is short work')
    restored.rows.loadPiece(plainOf(plainText(piece)))
  }
  assert.ok(pieces >= 10)
  assert.deepEqual(held(restored.rows), wanted)
})

test('where no rows are left a piece says so', () => {
  assert.deepEqual([...rowsBy({ takenMillis: 0 }).rows.pieces()], [[]])
})

test('a raw row beyond the horizon is written once more: it may replace one', async () => {
  const topics = topicNames()
  const { log } = drive().append([
    aReading('m', 'power_w', START + hours(5), 7),
    aReading('m', 'power_w', START, 1),
    aReading('m', 'power_w', START, 2),
  ])
  const outputs = new Outputs()
  const given = { pipeline, registry: testRegistry(), codecs: await loadCodecs(), topics, outputs }
  const task = new Task({ ...given, partition: 0, partitions: 1, epoch: 0 })
  for await (const batch of log.read({ topic: topics.readings, partition: 0, from: 0 })) {
    task.process(batch)
  }
  const again = outputs.restated.map((rows) => rows.batch()).filter(({ count }) => count > 0)
  assert.deepEqual(
    again.map((batch) => [batch.spec.table, batch.count]),
    [['readings', 1]],
  )
  const value = again[0]!.spec.columns.findIndex(({ name }) => name === 'value')
  assert.equal(again[0]!.columns[value]![0], 2)
})
