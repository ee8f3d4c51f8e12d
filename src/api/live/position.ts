import { LIVE_TOPICS, type LiveTopic } from '../contract/live.ts'

/**
 * Where a feed is in one topic: of each partition the offset to read next, and the source position
 * of the newest record, by which a repeat is known (`src/log/position.ts`).
 */
export interface PartitionPlace {
  readonly next: number
  /**
   * Epoch and offset of the source as one number (`revisionOf`), and its index; -1 where none was
   * seen, and always in `readings`.
   */
  readonly sourceOffset: number
  readonly sourceIndex: number
}

export interface TopicPlace {
  readonly tenant: string
  readonly topic: LiveTopic
  readonly epoch: number
  /** Append time of the newest record of the log when this was the place, milliseconds UTC. */
  readonly logMillis: number
  readonly partitions: readonly PartitionPlace[]
}

const VERSION = 1

/** Base-128 numbers, least significant first; the tenant's bytes at the end. */
export function encodePlace(place: TopicPlace): Buffer {
  const bytes: number[] = [VERSION, LIVE_TOPICS.indexOf(place.topic)]
  const put = (value: number) => {
    let rest = value
    while (rest >= 128) {
      bytes.push((rest % 128) + 128)
      rest = Math.floor(rest / 128)
    }
    bytes.push(rest)
  }
  put(place.epoch)
  put(place.logMillis)
  put(place.partitions.length)
  for (const { next, sourceOffset, sourceIndex } of place.partitions) {
    put(next)
    put(sourceOffset + 1)
    put(sourceIndex + 1)
  }
  return Buffer.concat([Buffer.from(bytes), Buffer.from(place.tenant)])
}

/** Undefined where the bytes are no place. */
export function decodePlace(bytes: Buffer): TopicPlace | undefined {
  let at = 2
  const take = (): number => {
    let value = 0
    for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
      const byte = bytes[at++]
      if (byte === undefined) return NaN
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
    return NaN
  }
  const topic = LIVE_TOPICS[bytes[1] ?? -1]
  if (bytes[0] !== VERSION || topic === undefined) return undefined
  const epoch = take()
  const logMillis = take()
  const count = take()
  // Each takes three bytes at least.
  if (!(count * 3 <= bytes.length)) return undefined
  const partitions = Array.from({ length: count }, () => ({
    next: take(),
    sourceOffset: take() - 1,
    sourceIndex: take() - 1,
  }))
  const last = partitions.at(-1)
  if (last === undefined || Number.isNaN(last.sourceIndex) || Number.isNaN(logMillis)) {
    return undefined
  }
  return { tenant: bytes.toString('utf8', at), topic, epoch, logMillis, partitions }
}
