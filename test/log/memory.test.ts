import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '../../src/kernel/time.ts'
import { systemClock } from '../../src/kernel/time.ts'
import type { Log } from '../../src/log/log.ts'
import { MemoryLog } from '../../src/log/memory.ts'
import { logContract } from '../contract/log.ts'
import { numbered, readAll } from '../contract/log-support.ts'
import type { Features } from '../contract/log-support.ts'

const shared = new MemoryLog(systemClock)

/** What one process opens of the records that all share; closing it closes only what it opened. */
function opened(): Log {
  const closing: (() => Promise<void>)[] = []
  return Object.assign(Object.create(shared) as MemoryLog, {
    async subscribe(options: Parameters<Log['subscribe']>[0]) {
      const subscription = await shared.subscribe(options)
      closing.push(() => subscription.close())
      return subscription
    },
    async close() {
      await Promise.all(closing.map((close) => close()))
    },
  })
}

const features: Features = {
  name: 'memory',
  open: opened,
  settings: {},
  makeGap(_log, topic, partition) {
    shared.skipOffsets(topic, partition, 3)
    return Promise.resolve()
  },
  nowMillis: () => Date.now(),
}

logContract(features)

test('append times come from the clock that is handed in', async () => {
  let micros = 5_000_999
  const clock: Clock = { nowMicros: () => micros, monotonicMillis: () => 0 }
  const log = new MemoryLog(clock)
  await log.createTopics([{ topic: 't', partitions: 1, settings: {} }])
  log.appendNow('t', numbered('a', 1))
  micros += 60_000_000
  log.appendNow('t', numbered('b', 1))
  const seen = await readAll(log, { topic: 't', partition: 0 })
  assert.deepEqual(
    seen.map(({ appendMillis }) => appendMillis),
    [5_000, 65_000],
  )
})

/** What two members are told, in its order, while records come and members come and go. */
async function story(): Promise<string[]> {
  const log = new MemoryLog({ nowMicros: () => 0, monotonicMillis: () => 0 })
  await log.createTopics([{ topic: 't', partitions: 4, settings: {} }])
  const lines: string[] = []
  const member = (name: string) =>
    log.subscribe({
      group: 'g',
      topics: ['t'],
      onAssigned(owned) {
        lines.push(`${name} + ${owned.map((o) => `${o.partition}@${o.generation}`).join()}`)
        return Promise.resolve(new Map())
      },
      onRevoked(lost) {
        lines.push(`${name} - ${lost.map((o) => o.partition).join()}`)
        return Promise.resolve()
      },
      async onBatch(batch, owned) {
        lines.push(`${name} ${batch.partition}: ${batch.offsets.join()} @${owned.generation}`)
        for (let i = 0; i < batch.partition; i++) await Promise.resolve()
      },
      onFailed: (error) => lines.push(String(error)),
    })
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  const first = await member('first')
  for (let i = 0; i < 4; i++) log.appendNow('t', numbered('a', 2, i))
  const second = await member('second')
  await turn()
  for (let i = 0; i < 4; i++) log.appendNow('t', numbered('b', 2, 3 - i))
  await first.close()
  await turn()
  await second.close()
  return lines
}

test('the same calls give the same story each time', async () => {
  const told = await story()
  assert.ok(told.length > 10, told.join('\n'))
  for (let i = 0; i < 5; i++) assert.deepEqual(await story(), told)
})
