import { LIMITS } from '../kernel/limits.ts'
import type { Clock } from '../kernel/time.ts'
import {
  appendMarks,
  createMarksTopic,
  type MarkedLetter,
  ReplayMarks,
} from './dead-letter-marks.ts'
import {
  type LetterFilter,
  type LetterSource,
  readLetters,
  type StoredLetter,
} from './dead-letters.ts'
import { openPublisher, type Publisher } from './publisher.ts'

/** A letter of this kind is sent again only where it is asked for by name. */
const BY_NAME_ONLY = 'payload.foreignMeter'

export interface ReplayLettersOptions {
  readonly source: LetterSource
  readonly filter: LetterFilter
  /** At most so many are sent. */
  readonly limit: number
  /** Only says what would be sent. */
  readonly isDryRun: boolean
  /** mqtt://[user:password@]host:port of the bridge. */
  readonly url: string
  readonly clock: Clock
  readonly onLetter?: (stored: StoredLetter) => void
  readonly onTrouble?: (why: string) => void
}

export interface ReplayLettersSummary {
  /** Acknowledged by the bridge; of a dry run, what would be sent. */
  replayed: number
  /** Sent again by an earlier replay. */
  before: number
  /** Longer than what is kept of a message: they cannot be sent again. */
  cut: number
  /** Foreign meters', which are sent only by `--reason foreignMeter`. */
  leftOut: number
  interrupted: boolean
}

/**
 * Sends the stored bytes again, on their old topics, at QoS 1, in the order of each meter. They
 * become readings, or dead letters anew. What is marked as sent is not sent again; between an
 * acknowledgement and its mark a crash may cost a repeat, which folds away as any repeated reading
 * does.
 *
 * @throws publish.unreachable, publish.refused; what was acknowledged by then is marked.
 */
export async function replayLetters(options: ReplayLettersOptions): Promise<ReplayLettersSummary> {
  const { source, filter, isDryRun, limit } = options
  const marks = await ReplayMarks.read(source.log, source.prefix)
  const summary = { replayed: 0, before: 0, cut: 0, leftOut: 0, interrupted: false }
  const sender = isDryRun ? undefined : await Sender.open(options)
  try {
    // Where the sender was interrupted, so is the reading.
    for await (const stored of readLetters(source, filter, marks)) {
      if (!isToSend(stored, filter, summary)) continue
      if (summary.replayed >= limit) break
      summary.replayed += 1
      options.onLetter?.(stored)
      await sender?.send(stored)
    }
    await sender?.flush()
  } finally {
    await sender?.close()
  }
  if (!isDryRun) summary.replayed = sender?.acknowledged ?? 0
  summary.interrupted = source.signal.aborted
  return summary
}

/** Counts it where it is not. */
function isToSend(
  { letter, isReplayed, isWhole }: StoredLetter,
  filter: LetterFilter,
  summary: ReplayLettersSummary,
): boolean {
  if (isReplayed) summary.before += 1
  else if (!isWhole) summary.cut += 1
  // Who replays may publish for all meters: what a device was refused must not come in by the back
  // door.
  else if (letter.reason === BY_NAME_ONLY && filter.reason === undefined) summary.leftOut += 1
  else return true
  return false
}

class Sender {
  acknowledged = 0
  private readonly options: ReplayLettersOptions
  private readonly publisher: Publisher
  private readonly toMark: MarkedLetter[]

  private constructor(options: ReplayLettersOptions, publisher: Publisher, toMark: MarkedLetter[]) {
    this.options = options
    this.publisher = publisher
    this.toMark = toMark
  }

  /** undefined where it was interrupted before the bridge answered. */
  static async open(options: ReplayLettersOptions): Promise<Sender | undefined> {
    const { log, prefix, signal } = options.source
    if (signal.aborted) return undefined
    await createMarksTopic(log, prefix)
    const toMark: MarkedLetter[] = []
    const opening = openPublisher({
      url: options.url,
      // One connection keeps the order of every meter.
      connections: 1,
      window: LIMITS.deadLetterWindow,
      clientIdPrefix: `meterloom-dead-letters-${process.pid}-`,
      onAck: (_topic, _payload, tag) => toMark.push(tag as MarkedLetter),
      ...(options.onTrouble === undefined ? {} : { onTrouble: options.onTrouble }),
    })
    const publisher = await unlessAborted(opening, signal)
    if (publisher !== undefined) return new Sender(options, publisher, toMark)
    // It answers or gives up later, and nobody waits for it.
    opening.then((late) => late.close()).catch(() => undefined)
    return undefined
  }

  async send({ partition, offset, letter }: StoredLetter): Promise<void> {
    const tag: MarkedLetter = { partition, offset, letter }
    const taken = this.publisher.publish(letter.mqttTopic, letter.bytes, { tag })
    if (taken !== undefined) await unlessAborted(taken, this.options.source.signal)
    if (this.toMark.length >= LIMITS.deadLetterMarksAtOnce) await this.mark()
  }

  /** Waits for what is on its way; an interruption ends that. */
  async flush(): Promise<void> {
    await unlessAborted(this.publisher.flush(), this.options.source.signal)
  }

  async close(): Promise<void> {
    await this.publisher.close()
    await this.mark()
  }

  private async mark(): Promise<void> {
    const { source, clock } = this.options
    const letters = this.toMark.splice(0)
    this.acknowledged += letters.length
    if (letters.length === 0) return
    const producer = await source.log.producer()
    try {
      await appendMarks(producer, source.prefix, letters, clock.nowMicros())
    } finally {
      await producer.close()
    }
  }
}

/** An interruption does not wait for a bridge that is away: undefined then. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  let stop = () => {}
  const aborted = new Promise<undefined>((resolve) => {
    stop = () => resolve(undefined)
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop)
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
