import { messageOf } from '../kernel/errors.ts'
import type { Micros } from '../kernel/time.ts'
import type { Log } from '../log/log.ts'
import { topicNames } from '../log/topics.ts'
import type { Codecs } from '../schemas/codecs.ts'
import type { DeadLetter } from '../schemas/records.ts'
import { ReplayMarks } from './dead-letter-marks.ts'

/**
 * What could not become a reading, read from the log.
 *
 * - letter: one record of the topic `dead-letters`.
 * - whole: it holds all bytes of its message, or of its element of a batch, and so can be sent
 *   again.
 * - mark: a record that says that a letter was sent again; see `dead-letter-marks.ts`.
 */
export interface LetterFilter {
  /** An error's code, with or without `payload.`. */
  readonly reason?: string | undefined
  /** Received at this time or later. */
  readonly since?: Micros | undefined
  /** A meter's id, or `tenant/meterId`. */
  readonly meter?: string | undefined
}

export interface StoredLetter {
  readonly partition: number
  readonly offset: number
  readonly letter: DeadLetter
  readonly isReplayed: boolean
  readonly isWhole: boolean
}

export interface LetterSource {
  readonly log: Log
  readonly codecs: Codecs
  /** Of the topics. */
  readonly prefix: string
  /** A record of the topic that cannot be read; it is left out. */
  readonly onUnreadable: (place: string, why: string) => void
  /** Ends the reading early. */
  readonly signal: AbortSignal
  readonly onProgress?: (done: number, total: number) => void
}

export interface LetterList {
  /** The newest that fit, oldest first. */
  readonly letters: readonly StoredLetter[]
  /** All that fit. */
  readonly total: number
  readonly byReason: Readonly<Record<string, number>>
}

/** @param limit How many letters are listed; all are counted. */
export async function listLetters(
  source: LetterSource,
  filter: LetterFilter,
  limit: number,
): Promise<LetterList> {
  const marks = await ReplayMarks.read(source.log, source.prefix)
  const newest: StoredLetter[] = []
  const counts = new Map<string, number>()
  let total = 0
  for await (const stored of readLetters(source, filter, marks)) {
    total += 1
    counts.set(stored.letter.reason, (counts.get(stored.letter.reason) ?? 0) + 1)
    newest.push(stored)
    // Now and then, so that a topic of millions needs no memory for more than twice the limit.
    if (newest.length > 2 * limit + 1_000) keepNewest(newest, limit)
  }
  keepNewest(newest, limit)
  const byReason = Object.fromEntries([...counts].sort(([, a], [, b]) => b - a))
  return { letters: newest, total, byReason }
}

function keepNewest(letters: StoredLetter[], limit: number): void {
  letters.sort(
    (a, b) =>
      a.letter.receivedAt - b.letter.receivedAt || a.partition - b.partition || a.offset - b.offset,
  )
  letters.splice(0, Math.max(0, letters.length - limit))
}

/**
 * The letters that fit, partition by partition, each in the order of the log; up to the ends that
 * the partitions have at the time of the call.
 */
export async function* readLetters(
  source: LetterSource,
  filter: LetterFilter,
  marks: ReplayMarks,
): AsyncGenerator<StoredLetter> {
  const { log, codecs, signal, onProgress, onUnreadable } = source
  const topic = topicNames(source.prefix).deadLetters
  const begin = await log.beginOffsets(topic)
  const ends = await log.endOffsets(topic)
  const total = ends.reduce((sum, end, partition) => sum + end - begin[partition]!, 0)
  let done = 0
  for (const [partition, to] of ends.entries()) {
    for await (const batch of log.read({ topic, partition, from: begin[partition]!, to })) {
      for (let i = 0; i < batch.count; i += 1) {
        if (signal.aborted) return
        const offset = batch.offsets[i]!
        const value = batch.bytes.subarray(batch.valueStart[i], batch.valueEnd[i])
        let letter: DeadLetter
        try {
          // A copy: the letter's bytes outlive the batch.
          letter = codecs['dead-letter'].decode(Buffer.from(value))
        } catch (error) {
          onUnreadable(`${topic}:${partition} at ${offset}`, messageOf(error))
          continue
        }
        if (!fits(letter, filter)) continue
        const isReplayed = marks.has(partition, offset, letter)
        yield { partition, offset, letter, isReplayed, isWhole: isWhole(letter) }
      }
      done += batch.count
      onProgress?.(done, total)
    }
  }
}

/**
 * An element has its own bytes, which are never cut: its message is no longer than what is kept.
 */
function isWhole({ element, length, bytes }: DeadLetter): boolean {
  return element !== null || bytes.length === length
}

function fits(letter: DeadLetter, { reason, since, meter }: LetterFilter): boolean {
  if (since !== undefined && letter.receivedAt < since) return false
  if (reason !== undefined && letter.reason !== reason && letter.reason !== `payload.${reason}`) {
    return false
  }
  if (meter === undefined) return true
  return letter.meterId === meter || `${letter.tenant ?? ''}/${letter.meterId ?? ''}` === meter
}
