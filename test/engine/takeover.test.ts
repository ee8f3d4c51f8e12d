import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { RowBatch } from '../../src/engine/sink.ts'
import { logErrors } from '../../src/log/errors.ts'
import type { Log, RecordBatch } from '../../src/log/log.ts'
import { positionOf, SeenPositions } from '../../src/log/position.ts'
import { SOURCE_HEADER } from '../../src/log/topics.ts'
import { drive, sorted } from '../support/drive.ts'
import { ADAPTERS, fleet, PARTITIONS, stage, until } from '../support/engine-stage.ts'
import { MemorySink } from '../support/memory-sink.ts'
import { aMeter } from '../support/readings.ts'

// What one process leaves and another takes over: nothing twice, nothing missing, nothing older.

const readings = fleet()
const expected = drive({ partitions: PARTITIONS }).append(readings)
await expected.run()

/** Every record of a topic, in its partitions' order. */
async function recordsOf(log: Log, topic: string): Promise<{ all: string[]; kept: number }> {
  const all: string[] = []
  let kept = 0
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const seen = new SeenPositions()
    for await (const batch of log.read({ topic, partition, from: 0 })) {
      for (let i = 0; i < batch.count; i++) {
        all.push(placeOf(batch, i))
        if (seen.isNew(batch.header(i, SOURCE_HEADER))) kept++
      }
    }
  }
  return { all, kept }
}

function placeOf(batch: RecordBatch, i: number): string {
  const position = positionOf(batch.header(i, SOURCE_HEADER))!
  return `${position.partition}:${position.offset}:${position.index}`
}

async function aKillBeforeTheCommit(t: TestContext, adapter: keyof typeof ADAPTERS) {
  const scene = await stage(t, ADAPTERS[adapter]!)
  const first = new MemorySink()
  let commits = 0
  const never = () => {
    commits++
    return new Promise<never>(() => undefined)
  }
  const a = await scene.start(first, {}, never)
  await scene.append(readings.slice(0, 3_000))
  await until(() => commits > 0, 30)
  const before = await recordsOf(scene.log, scene.topics.windows)
  assert.ok(before.all.length > 0, 'something must be appended and not committed')
  assert.deepEqual(await scene.committed(), Array(PARTITIONS).fill(0))
  await a.kill()
  return { ...scene, first }
}

for (const adapter of Object.keys(ADAPTERS)) {
  test(`${adapter}: what was appended and not committed is not appended again`, async (t) => {
    const { log, topics, append, start, drained, first } = await aKillBeforeTheCommit(t, adapter)
    const second = new MemorySink()
    const b = await start(second)
    await append(readings.slice(3_000))
    await drained(40)
    await b.stop()
    for (const topic of ['windows', 'anomalies'] as const) {
      const { all, kept } = await recordsOf(log, topics[topic])
      assert.equal(new Set(all).size, all.length, `${topic} has a record twice`)
      assert.deepEqual([all.length, kept], Array(2).fill(expected.records.get(topic)!.length))
    }
    const windows = [...first.rows('windows'), ...second.rows('windows')]
    assert.deepEqual([...new Set(sorted(windows))], sorted(expected.rows('windows')))
  })
}

/** Three hours of one meter, and a reading of its last half hour that comes late. */
function restated() {
  const meter = aMeter('late')
  const minutes = meter.minutes(180, { power_w: 100 })
  const [late] = minutes.splice(150, 1)
  return { inTime: minutes, late: { ...late!, measurements: measured(900) } }
}

function measured(value: number) {
  return [{ channel: 'power_w', value, quality: 'MEASURED' as const }]
}

test('what a stale owner writes late is written over once the group has changed', async (t) => {
  const { append, start, drained } = await stage(t, ADAPTERS['memory']!)
  const sink = new MemorySink()
  const written: RowBatch[] = []
  const write = sink.write.bind(sink)
  sink.write = (batch) => {
    if (batch.spec.table === 'windows') written.push(batch)
    return write(batch)
  }
  const options = { rewriteAfterMs: 300 }
  await start(sink, options)
  const { inTime, late } = restated()
  await append(inTime)
  await drained()
  const older = [...written]
  const rowsOfLate = () => sorted(sink.rows('windows'))
  const before = rowsOfLate()
  // An hour on the window freezes, and what waits to be restated is emitted.
  await append([late])
  await drained()
  await append(aMeter('late').minutes(240, { power_w: 100 }).slice(-1))
  await drained()
  const after = rowsOfLate()
  assert.notDeepEqual(after, before, 'the late reading must have changed a window')

  // What was under way in a process that was frozen before the late reading came.
  for (const batch of older) await write(batch)
  assert.notDeepEqual(rowsOfLate(), after)
  await start(sink, options)
  await until(() => rowsOfLate().join() === after.join(), 10)
})

test('a broker that takes no commit for a while ends no process', async (t) => {
  const { append, start, drained, failures } = await stage(t, ADAPTERS['memory']!)
  let refused = 0
  await start(new MemorySink(), {}, (commit) => {
    if (++refused > 3) return commit()
    const away = { brokers: 'kafka:9092', what: 'commit', detail: 'refused on purpose' }
    return Promise.reject(logErrors.unavailable(away))
  })
  await append(readings.slice(0, 200))
  await drained()
  assert.ok(refused > 3)
  assert.deepEqual(failures, [])
})
