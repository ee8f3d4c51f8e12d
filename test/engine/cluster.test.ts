import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { connectLog } from '../../src/log/connect.ts'
import { ClusterView } from '../log/cluster-view.ts'
import { sorted } from '../support/drive.ts'
import { fleet, stage, until } from '../support/engine-stage.ts'
import { MemorySink } from '../support/memory-sink.ts'
import { killServer, type OwnCluster, startCluster } from '../support/own-kafka.ts'

// Three brokers of this file's own, with three copies of all, of which two must be in step.

const RESUMED_SECONDS_MAX = 60
const PARTS = 4

async function open(t: TestContext) {
  const cluster = await startCluster(3)
  const { kafkaBrokers } = cluster
  const opened = () => () => connectLog({ kafkaBrokers })
  const stood = await stage(t, opened)
  t.after(() => cluster.stop())
  return { ...stood, cluster, view: new ClusterView(kafkaBrokers) }
}

const brokerOf = ({ servers }: OwnCluster, node: number) => servers[node - 1]!

test('two processes go on while a leader or the coordinator is away', async (t) => {
  const { cluster, view, topics, group, append, start, committed, drained, failures } =
    await open(t)
  const sink = new MemorySink()
  await start(sink)
  await start(sink)
  const readings = fleet()
  const size = Math.ceil(readings.length / PARTS)
  const parts = Array.from({ length: PARTS }, (_, i) => readings.slice(i * size, (i + 1) * size))
  const resumed = async (what: string) => {
    const beganMs = performance.now()
    await append(parts.shift()!)
    await drained(RESUMED_SECONDS_MAX)
    const seconds = (performance.now() - beganMs) / 1_000
    t.diagnostic(`${what}: all was committed ${seconds.toFixed(1)} s later`)
  }
  assert.equal(await view.inSync(topics.readings), 3)
  await resumed('nothing has happened')

  const coordinator = await view.coordinator(group)
  await killServer(brokerOf(cluster, coordinator))
  await resumed('the coordinator was killed, and is away')
  assert.notEqual(await view.coordinator(group), coordinator)
  await brokerOf(cluster, coordinator).start()
  await resumed('it is back')
  await until(async () => (await view.inSync(topics.readings)) === 3, RESUMED_SECONDS_MAX)

  const leader = (await view.leaders(topics.readings))[0]!
  await brokerOf(cluster, leader).stop()
  await resumed('the leader of a partition was stopped in order, and is away')

  assert.equal(parts.length, 0)
  assert.ok((await committed()).every((offset) => offset > 0))
  assert.equal(sink.rows('readings').length, measurementsOf(readings))
  assert.ok(sorted(sink.rows('windows')).length > 0)
  assert.deepEqual(failures, [])
})

function measurementsOf(readings: readonly { measurements: readonly unknown[] }[]): number {
  return readings.reduce((count, { measurements }) => count + measurements.length, 0)
}
