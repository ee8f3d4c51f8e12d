import type { Config } from '../../src/kernel/config.ts'
import type { Addresses } from '../../src/kernel/addresses.ts'
import { connectLog } from '../../src/log/connect.ts'
import type { Log } from '../../src/log/log.ts'
import { CONTROL_HEADER, type Topics, topicNames, topicSpecs } from '../../src/log/topics.ts'
import { type Codecs, loadCodecs } from '../../src/schemas/codecs.ts'
import type { ControlRecord, DeadLetter, Reading } from '../../src/schemas/records.ts'
import type { Scope } from '../support/database.ts'

/** What a bridge has left in a real Kafka. */
export interface Stored {
  readonly readings: readonly { readonly key: string; readonly reading: Reading }[]
  readonly controls: readonly { readonly partition: number; readonly control: ControlRecord }[]
}

export interface TestTopics {
  readonly log: Log
  readonly topics: Topics
  stored(): Promise<Stored>
  deadLetters(): Promise<readonly DeadLetter[]>
}

/** Makes the topics of a test; they are deleted after it. */
export async function testTopics(scope: Scope, config: Config & Addresses): Promise<TestTopics> {
  const log = await connectLog(config, { clientId: 'test' })
  const topics = topicNames(config.topicPrefix)
  scope.after(async () => {
    await log.deleteTopics(Object.values(topics))
    await log.close()
  })
  await log.createTopics(topicSpecs(topics, config))
  const codecs = await loadCodecs()
  return {
    log,
    topics,
    stored: () => stored(log, topics, codecs),
    async deadLetters() {
      const found: DeadLetter[] = []
      for await (const { value } of records(log, topics.deadLetters)) {
        found.push(codecs['dead-letter'].decode(value))
      }
      return found
    },
  }
}

async function stored(log: Log, topics: Topics, codecs: Codecs): Promise<Stored> {
  const readings: { key: string; reading: Reading }[] = []
  const controls: { partition: number; control: ControlRecord }[] = []
  for await (const { partition, key, value, isControl } of records(log, topics.readings)) {
    if (isControl) controls.push({ partition, control: codecs.control.decode(value) })
    else readings.push({ key, reading: codecs.reading.decode(value) })
  }
  return { readings, controls }
}

async function* records(log: Log, topic: string) {
  const partitions = await log.partitionCount(topic)
  for (let partition = 0; partition < partitions; partition += 1) {
    for await (const batch of log.read({ topic, partition, from: 0 })) {
      for (let i = 0; i < batch.count; i += 1) {
        const keyStart = batch.keyStart[i]!
        yield {
          partition,
          key: keyStart < 0 ? '' : batch.bytes.toString('utf8', keyStart, batch.keyEnd[i]),
          value: Buffer.from(batch.bytes.subarray(batch.valueStart[i], batch.valueEnd[i])),
          isControl: batch.header(i, CONTROL_HEADER) !== undefined,
        }
      }
    }
  }
}
