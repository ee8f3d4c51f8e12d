import { hasCode } from '../kernel/errors.ts'
import { days, formatMicros, type Micros, MICROS_PER_MILLI } from '../kernel/time.ts'
import type { Log, OutgoingRecord, Producer } from '../log/log.ts'
import type { DeadLetter } from '../schemas/records.ts'

/**
 * Which dead letters were sent again. The letters themselves cannot be changed, and a committed
 * offset could not say which of those before it were left out by a filter; so each has a mark, a
 * record in a topic of its own whose key names the letter. A mark is kept longer than the letter it
 * stands for.
 */
export class ReplayMarks {
  private readonly known = new Set<string>()

  /** Reads all marks; where the topic is not there yet there is none. */
  static async read(log: Log, prefix: string): Promise<ReplayMarks> {
    const marks = new ReplayMarks()
    const topic = marksTopic(prefix)
    let ends: readonly number[]
    try {
      ends = await log.endOffsets(topic)
    } catch (error) {
      if (hasCode(error, 'log.unknownTopic')) return marks
      throw error
    }
    for (const [partition, to] of ends.entries()) {
      for await (const batch of log.read({ topic, partition, from: 0, to })) {
        for (let i = 0; i < batch.count; i += 1) {
          marks.known.add(batch.bytes.toString('latin1', batch.keyStart[i], batch.keyEnd[i]))
        }
      }
    }
    return marks
  }

  has(partition: number, offset: number, letter: DeadLetter): boolean {
    return this.known.has(nameOf(partition, offset, letter))
  }
}

export interface MarkedLetter {
  readonly partition: number
  readonly offset: number
  readonly letter: DeadLetter
}

/** Creates the topic of the marks where it is missing. */
export async function createMarksTopic(log: Log, prefix: string): Promise<void> {
  const settings = {
    'message.timestamp.type': 'LogAppendTime',
    'cleanup.policy': 'delete',
    'retention.ms': String(days(14) / MICROS_PER_MILLI),
  }
  await log.createTopics([{ topic: marksTopic(prefix), partitions: 1, settings }])
}

export async function appendMarks(
  producer: Producer,
  prefix: string,
  letters: readonly MarkedLetter[],
  now: Micros,
): Promise<void> {
  if (letters.length === 0) return
  const value = Buffer.from(JSON.stringify({ replayedAt: formatMicros(now) }))
  const records = letters.map(({ partition, offset, letter }): OutgoingRecord => {
    return { key: Buffer.from(nameOf(partition, offset, letter)), value }
  })
  await producer.append(marksTopic(prefix), records)
}

function marksTopic(prefix: string): string {
  return `${prefix}dead-letter-replays`
}

/** Its place, and what it is: where the topic was made anew another letter has the same place. */
function nameOf(partition: number, offset: number, letter: DeadLetter): string {
  return `${partition}:${offset}:${letter.receivedAt}:${letter.sha256.slice(0, 16)}`
}
