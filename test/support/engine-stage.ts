import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { HandClock } from '../../src/engine/driver.ts'
import { startRuntime } from '../../src/engine/runtime.ts'
import type { Runtime, RuntimeOptions } from '../../src/engine/runtime.ts'
import { meterKey } from '../../src/kernel/ids.ts'
import { connectLog } from '../../src/log/connect.ts'
import type { Log, Subscription } from '../../src/log/log.ts'
import { MemoryLog } from '../../src/log/memory.ts'
import { topicNames, topicSpecs } from '../../src/log/topics.ts'
import { loadCodecs } from '../../src/schemas/codecs.ts'
import type { Reading } from '../../src/schemas/records.ts'
import { pipeline } from '../../topologies/index.ts'
import { testConfig } from './config.ts'
import type { MemorySink } from './memory-sink.ts'
import { aMeter } from './readings.ts'
import { testRegistry } from './registry.ts'

export const codecs = await loadCodecs()
export const PARTITIONS = 4

/** Opens the log of one more process: the same one in memory, a connection of its own to Kafka. */
export type Open = () => Promise<Log>

export const ADAPTERS: Readonly<Record<string, () => Open>> = {
  memory: () => {
    const log = new MemoryLog(new HandClock())
    return () => Promise.resolve(log)
  },
  kafka: () => () => connectLog(testConfig()),
}

/** What a test does in place of a commit; `commit` does it. */
export type OnCommit = (commit: () => Promise<void>) => Promise<void>

/** A process's own view of the log: its subscription is known, so that it can be cut off. */
function watched(own: Log, onSubscribed: (made: Subscription) => void, onCommit: OnCommit): Log {
  return new Proxy(own, {
    get(target, name: keyof Log) {
      if (name !== 'subscribe') return target[name].bind(target)
      return async (options: Parameters<Log['subscribe']>[0]) => {
        const made = await target.subscribe(options)
        onSubscribed(made)
        const commit = made.commit.bind(made)
        made.commit = (requests) => onCommit(() => commit(requests))
        return made
      }
    },
  })
}

function recordOf(reading: Reading) {
  const key = Buffer.from(meterKey(reading.tenant, reading.meterId))
  return { key, value: codecs.reading.encode(reading) }
}

/** A log with topics of its own, and runtimes on it that may be killed. */
export async function stage(t: TestContext, adapter: () => Open) {
  const open = adapter()
  const log = await open()
  const logs = [log]
  const { topicPrefix } = testConfig()
  const topics = topicNames(topicPrefix)
  const input = topics.readings
  const group = `${topicPrefix}group`
  await log.createTopics(topicSpecs(topics, { partitions: PARTITIONS, retentionBytes: -1 }))
  const producer = await log.producer()
  const running = new Set<Runtime>()
  const failures: unknown[] = []
  t.after(async () => {
    await Promise.all([...running].map((runtime) => runtime.stop()))
    await producer.close()
    await log.deleteTopics(Object.values(topics) as string[])
    await Promise.all(logs.map((one) => one.close()))
  })
  const append = async (readings: readonly Reading[]) => {
    await producer.append(input, readings.map(recordOf))
  }
  const start = async (
    tables: MemorySink,
    options: Partial<RuntimeOptions> = {},
    onCommit: OnCommit = (commit) => commit(),
  ) => {
    let subscription: Subscription | undefined
    const own = await open()
    logs.push(own)
    const seen = watched(own, (made) => (subscription = made), onCommit)
    const runtime = await startRuntime({
      log: seen,
      pipeline,
      input,
      group,
      epoch: 0,
      topics,
      registry: testRegistry(),
      tables,
      codecs,
      onFailed: (error) => failures.push(error),
      ...options,
    })
    running.add(runtime)
    return {
      runtime,
      stop: async () => {
        running.delete(runtime)
        await runtime.stop()
      },
      kill: async () => {
        tables.kill()
        await subscription!.close()
      },
    }
  }
  const committed = async () =>
    (await log.committed(group, input)).map(({ offset }) => Math.max(0, offset))
  const drained = async (seconds = 20) => {
    const ends = await log.endOffsets(input)
    await until(async () => {
      const offsets = await committed()
      return ends.every((end, partition) => offsets[partition]! >= end)
    }, seconds)
  }
  return { log, topics, group, failures, append, start, committed, drained }
}

export async function until(holds: () => boolean | Promise<boolean>, seconds = 10): Promise<void> {
  const deadlineMs = performance.now() + seconds * 1_000
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`does not hold after ${seconds} s`)
    await sleep(10)
  }
}

/** Twelve meters that warm up and spike: rows in all tables. */
export function fleet(): Reading[] {
  const meters = Array.from({ length: 12 }, (_, i) => aMeter(`m-${i}`))
  const all: Reading[] = []
  for (const [i, meter] of meters.entries()) {
    all.push(...meter.quarterHours(26, { power_w: 100 + i, energy_register_wh: 5_000 }))
    all.push(...meter.quarterHours(3, { power_w: 900 }))
    all.push(...meter.quarterHours(1, { power_w: 100 }))
  }
  return all.sort((a, b) => a.at - b.at)
}
