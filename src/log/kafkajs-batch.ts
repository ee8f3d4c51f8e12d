import type { Batch, KafkaMessage } from 'kafkajs'
import { toBatch } from './batch.ts'
import type { RecordBatch } from './log.ts'

/** A batch of kafkajs's message objects in columns. */
export function kafkajsBatch(batch: Batch): RecordBatch {
  const { topic, partition, messages } = batch
  return toBatch(messages, {
    topic,
    partition,
    // Markers of transactions at the end are no messages, but have offsets.
    nextOffset: Number(batch.lastOffset()) + 1,
    offsets: offsetsOf(messages),
    appendMillis: appendMillisOf(messages),
    headerOf,
  })
}

/** kafkajs has offsets as text: where there are no gaps, two of them tell the rest. */
function offsetsOf(messages: readonly KafkaMessage[]): Float64Array {
  const count = messages.length
  const offsets = new Float64Array(count)
  const first = Number(messages[0]?.offset)
  const isWhole = Number(messages.at(-1)?.offset) - first === count - 1
  for (let i = 0; i < count; i++) offsets[i] = isWhole ? first + i : Number(messages[i]!.offset)
  return offsets
}

/** All records of one append bear one time. */
function appendMillisOf(messages: readonly KafkaMessage[]): Float64Array {
  const millis = new Float64Array(messages.length)
  let text = ''
  let known = 0
  for (let i = 0; i < messages.length; i++) {
    const { timestamp } = messages[i]!
    if (timestamp !== text) {
      text = timestamp
      known = Number(timestamp)
    }
    millis[i] = known
  }
  return millis
}

function headerOf({ headers }: KafkaMessage, name: string): Buffer | undefined {
  const found = headers?.[name]
  const last = Array.isArray(found) ? found.at(-1) : found
  return typeof last === 'string' ? Buffer.from(last) : last
}
