import type { Log } from '../../log/log.ts'
import type { Codec } from '../../schemas/codecs.ts'
import type { DeadLetter } from '../../schemas/records.ts'
import type { VerifyReport } from './report.ts'

export interface DeadLetterWalk {
  readonly log: Log
  readonly codec: Codec<DeadLetter>
  readonly topic: string
  readonly visit: (letter: DeadLetter) => void
  readonly progress: (done: number, total: number) => void
}

/** Reads all dead letters that the log retains. The commonest reason comes first. */
export async function deadLettersByReason(
  walk: DeadLetterWalk,
): Promise<VerifyReport['deadLetters']> {
  const { log, topic, codec } = walk
  const begins = await log.beginOffsets(topic)
  const ends = await log.endOffsets(topic)
  const total = ends.reduce((sum, end, p) => sum + end - (begins[p] ?? 0), 0)
  const counts = new Map<string, number>()
  let count = 0
  for (const [partition, to] of ends.entries()) {
    const from = begins[partition] ?? 0
    if (from >= to) continue
    for await (const batch of log.read({ topic, partition, from, to })) {
      for (let i = 0; i < batch.count; i++) {
        const value = batch.bytes.subarray(batch.valueStart[i], batch.valueEnd[i])
        const letter = decoded(codec, value)
        const reason = letter?.reason ?? '(a record that is no dead letter)'
        counts.set(reason, (counts.get(reason) ?? 0) + 1)
        count++
        if (letter !== undefined) walk.visit(letter)
      }
      walk.progress(count, total)
    }
  }
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
  return { count, byReason: Object.fromEntries(sorted) }
}

function decoded(codec: Codec<DeadLetter>, value: Buffer): DeadLetter | undefined {
  try {
    return codec.decode(value)
  } catch {
    // Somebody else's record: counted, and nobody's claim is answered by it.
    return undefined
  }
}
