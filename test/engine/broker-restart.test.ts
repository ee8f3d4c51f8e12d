import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectLog } from '../../src/log/connect.ts'
import { sorted } from '../support/drive.ts'
import { fleet, stage, until } from '../support/engine-stage.ts'
import { MemorySink } from '../support/memory-sink.ts'
import { startKafka } from '../support/own-kafka.ts'

// A Kafka of this file's own, since it is killed and stopped: the group's coordinator, the leaders
// of all partitions and the log are gone together, and come back.

const RESUMED_SECONDS_MAX = 60

test('two processes go on when their broker is killed, and when it is stopped', async (t) => {
  const kafka = await startKafka()
  const { kafkaBrokers } = kafka
  const opened = () => () => connectLog({ kafkaBrokers })
  const { append, start, committed, drained, failures } = await stage(t, opened)
  t.after(() => kafka.stop())
  const sink = new MemorySink()
  await start(sink)
  await start(sink)
  const readings = fleet()
  const parts = [0, 1, 2].map((i) => readings.slice(i * 1_500, (i + 1) * 1_500))
  const sum = async () => (await committed()).reduce((a, b) => a + b, 0)
  await append(parts[0]!)
  await until(async () => (await sum()) > 0, 30)
  for (const [i, end] of [() => kafka.kill(), () => kafka.server.stop()].entries()) {
    await end()
    await sleep(2_000)
    await kafka.server.start()
    const beganMs = performance.now()
    await append(parts[i + 1]!)
    await drained(RESUMED_SECONDS_MAX)
    const seconds = (performance.now() - beganMs) / 1_000
    t.diagnostic(`all was committed ${seconds.toFixed(1)} s after the broker was back`)
  }
  assert.equal(sink.rows('readings').length, measurementsOf(parts.flat()))
  assert.ok(sorted(sink.rows('windows')).length > 0)
  assert.deepEqual(failures, [])
})

function measurementsOf(readings: readonly { measurements: readonly unknown[] }[]): number {
  return readings.reduce((count, { measurements }) => count + measurements.length, 0)
}
