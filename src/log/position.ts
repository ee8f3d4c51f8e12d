/**
 * The source position of an output record, in its header `ml-src`: which input record made it, and
 * which of that record's outputs it is. A reader drops what is not past the last position that it
 * has seen of the same input partition.
 *
 *   epoch:uint32 partition:uint32 offset:uint64 index:uint32, big endian, so that bytes sort as
 *   positions do
 */
export interface SourcePosition {
  readonly epoch: number
  readonly partition: number
  readonly offset: number
  readonly index: number
}

export const POSITION_BYTES = 20

export function encodePosition({ epoch, partition, offset, index }: SourcePosition): Buffer {
  const out = Buffer.allocUnsafe(POSITION_BYTES)
  out.writeUInt32BE(epoch, 0)
  out.writeUInt32BE(partition, 4)
  out.writeUInt32BE(Math.floor(offset / 2 ** 32), 8)
  out.writeUInt32BE(offset % 2 ** 32, 12)
  out.writeUInt32BE(index, 16)
  return out
}

/** Writes a position from `at` on. */
export function writePosition(
  view: DataView,
  at: number,
  epoch: number,
  partition: number,
  offset: number,
  index: number,
): void {
  view.setUint32(at, epoch)
  view.setUint32(at + 4, partition)
  view.setUint32(at + 8, Math.floor(offset / 2 ** 32))
  view.setUint32(at + 12, offset % 2 ** 32)
  view.setUint32(at + 16, index)
}

/** Undefined where the bytes are no position. */
export function decodePosition(bytes: Buffer): SourcePosition | undefined {
  if (bytes.length !== POSITION_BYTES) return undefined
  return {
    epoch: bytes.readUInt32BE(0),
    partition: bytes.readUInt32BE(4),
    offset: bytes.readUInt32BE(8) * 2 ** 32 + bytes.readUInt32BE(12),
    index: bytes.readUInt32BE(16),
  }
}

/** The position in a record's header; undefined where it has none. */
export function positionOf(header: Buffer | undefined): SourcePosition | undefined {
  return header === undefined ? undefined : decodePosition(header)
}

/** Whether `a` comes after `b`; of different input partitions neither does. */
export function isPast(a: SourcePosition, b: SourcePosition): boolean {
  if (a.epoch !== b.epoch) return a.epoch > b.epoch
  if (a.partition !== b.partition) return false
  return a.offset > b.offset || (a.offset === b.offset && a.index > b.index)
}

/**
 * Knows which records of an output topic it has seen: a task that was killed appends again what it
 * had appended, and a stale owner may append behind its successor, under the same source positions.
 * One for each partition of the topic.
 */
export class SeenPositions {
  private readonly last = new Map<number, SourcePosition>()

  /** Whether a record with this header is news. One that bears no position always is. */
  isNew(header: Buffer | undefined): boolean {
    const position = positionOf(header)
    if (position === undefined) return true
    const seen = this.last.get(position.partition)
    if (seen !== undefined && !isPast(position, seen)) return false
    this.last.set(position.partition, position)
    return true
  }
}
