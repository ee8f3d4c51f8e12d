import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Logger } from 'pino'
import { Registry } from 'prom-client'
import { ADAPTERS, fleet, PARTITIONS, stage, until } from '../support/engine-stage.ts'
import { MemorySink } from '../support/memory-sink.ts'

const readings = fleet()

/** What a process says, and what it counts. */
function observed() {
  const warnings: { readonly fields: Record<string, unknown>; readonly text: string }[] = []
  const warn = (fields: Record<string, unknown>, text: string) => warnings.push({ fields, text })
  const quiet = () => undefined
  const logger = { warn, debug: quiet, info: quiet, error: quiet } as unknown as Logger
  const metrics = new Registry()
  const counted = async (kind: 'rows' | 'state') => {
    const text = await metrics.metrics()
    const name = `meterloom_engine_overtaken_records_total{kind="${kind}"}`
    return Number(
      text
        .split('\n')
        .find((line) => line.startsWith(name))
        ?.split(' ')[1],
    )
  }
  return { warnings, counted, options: { logger, metrics } }
}

for (const [name, adapter] of Object.entries(ADAPTERS)) {
  test(`${name}: a log that begins above the committed offset is told`, async (t) => {
    const { log, topics, append, start, drained, committed } = await stage(t, adapter)
    const first = await start(new MemorySink())
    await append(readings.slice(0, 500))
    await drained()
    await first.stop()
    const before = await committed()
    await append(readings.slice(500, 1_500))
    const ends = await log.endOffsets(topics.readings)
    const begin = before[2]! + 40
    await log.deleteRecords(topics.readings, 2, begin)

    const { warnings, counted, options } = observed()
    const sink = new MemorySink()
    const { runtime } = await start(sink, options)
    await drained()
    assert.deepEqual(
      warnings.map(({ fields }) => fields),
      [{ topic: topics.readings, partition: 2, begin, from: before[2], missing: 40 }],
    )
    const words = `partition 2 of ${topics.readings} begins at ${begin}: 40 records from`
    assert.ok(warnings[0]!.text.startsWith(words), warnings[0]!.text)
    assert.match(warnings[0]!.text, /RETENTION_BYTES.* send their readings again/)
    assert.equal(await counted('rows'), 40)
    assert.equal(await counted('state'), 0)
    const taken = runtime.tasks().map(({ counts }) => counts.records)
    assert.ok(taken[2]! >= ends[2]! - begin, 'what is left is computed')
    assert.ok(sink.rows('readings').length > 0)
  })

  test(`${name}: a log of which nothing is left is committed up to its end`, async (t) => {
    const { log, topics, append, start, drained, committed, failures } = await stage(t, adapter)
    const first = await start(new MemorySink())
    await append(readings.slice(0, 200))
    await drained()
    await first.stop()
    await append(readings.slice(200, 600))
    const ends = await log.endOffsets(topics.readings)
    for (const [partition, end] of ends.entries()) {
      await log.deleteRecords(topics.readings, partition, end)
    }
    const { warnings, options } = observed()
    await start(new MemorySink(), options)
    // Else it would have records to take in for ever, and be ended for standing still.
    await until(async () => (await committed()).join() === ends.join())
    assert.equal(warnings.length, PARTITIONS)
    assert.deepEqual(failures, [])
  })

  test(`${name}: a log that begins above the snapshot's offset is told`, async (t) => {
    const { log, topics, append, start, drained, committed } = await stage(t, adapter)
    const first = await start(new MemorySink())
    await append(readings.slice(0, 500))
    await drained()
    const snapshot = (await committed())[1]!
    // It takes a snapshot as it stops; its successor is killed before it takes one.
    await first.stop()
    const second = await start(new MemorySink(), { cadence: never })
    await append(readings.slice(500, 1_500))
    await drained()
    await second.kill()
    const done = (await committed())[1]!
    assert.ok(done > snapshot + 30, 'the test must leave something to be replayed')
    await log.deleteRecords(topics.readings, 1, snapshot + 30)

    const { warnings, counted, options } = observed()
    const third = await start(new MemorySink(), options)
    await until(() => third.runtime.tasks().length === PARTITIONS)
    assert.deepEqual(
      warnings.map(({ fields }) => fields),
      [{ topic: topics.readings, partition: 1, begin: snapshot + 30, from: snapshot, missing: 30 }],
    )
    assert.match(warnings[0]!.text, /their rows are out, .*BACKFILL=true/)
    assert.equal(await counted('state'), 30)
    assert.equal(await counted('rows'), 0)
  })

  test(`${name}: who is overtaken while it is at work tells it too`, async (t) => {
    const { log, topics, append, start, drained, committed } = await stage(t, adapter)
    const { warnings, counted, options } = observed()
    const sink = new MemorySink()
    const { runtime } = await start(sink, options)
    await append(readings.slice(0, 200))
    await drained()
    assert.deepEqual(warnings, [], 'nothing is gone yet')
    const next = (await committed())[3]!
    // As if it had not taken in the last seven, when retention took them.
    runtime.tasks()[3]!.nextOffset = next - 7
    await log.deleteRecords(topics.readings, 3, next)
    await append(readings.slice(200, 400))
    await drained()
    assert.deepEqual(
      warnings.map(({ fields }) => fields),
      [{ topic: topics.readings, partition: 3, begin: next, from: next - 7, missing: 7 }],
    )
    assert.equal(await counted('rows'), 7)
  })
}

const never = { isDue: () => false, took: () => undefined }
