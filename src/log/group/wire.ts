import { BytesReader } from '../bytes-reader.ts'

/**
 * What members of a consumer group tell each other through the broker. Source:
 * kafka.apache.org, "A Guide To The Kafka Protocol", consumer embedded protocol, version 0.
 *
 *   subscription := version:int16 topics:string[] userData:bytes
 *   assignment   := version:int16 (topic:string partitions:int32[])[] userData:bytes
 */

/** Partitions by topic. */
export type Share = ReadonlyMap<string, readonly number[]>

export interface MemberSubscription {
  readonly topics: readonly string[]
  /** What the member holds the state of, from the membership before. */
  readonly owned: Share
}

export function encodeSubscription({ topics, owned }: MemberSubscription): Buffer {
  const writer = new BytesWriter()
  writer.int16(0)
  writer.int32(topics.length)
  for (const topic of topics) writer.text(topic)
  writer.bytes(encodeShare(owned))
  return writer.take()
}

/** A member of another make may have other user data: then it owns nothing that is known. */
export function decodeSubscription(bytes: Buffer): MemberSubscription {
  const reader = new WireReader(bytes)
  reader.int16()
  const topics = Array.from({ length: reader.int32() }, () => reader.text())
  const userData = reader.bytes()
  try {
    return { topics, owned: userData.length === 0 ? new Map() : decodeShare(userData) }
  } catch {
    return { topics, owned: new Map() }
  }
}

/** An assignment has the same form as a share, with no user data behind it. */
export function encodeAssignment(share: Share): Buffer {
  return encodeShare(share)
}

export function decodeAssignment(bytes: Buffer): Share {
  return bytes.length === 0 ? new Map() : decodeShare(bytes)
}

function encodeShare(share: Share): Buffer {
  const writer = new BytesWriter()
  writer.int16(0)
  writer.int32(share.size)
  for (const [topic, partitions] of share) {
    writer.text(topic)
    writer.int32(partitions.length)
    for (const partition of partitions) writer.int32(partition)
  }
  writer.bytes(Buffer.alloc(0))
  return writer.take()
}

function decodeShare(bytes: Buffer): Share {
  const reader = new WireReader(bytes)
  reader.int16()
  const count = reader.int32()
  const share = new Map<string, readonly number[]>()
  for (let n = 0; n < count; n++) {
    const topic = reader.text()
    share.set(
      topic,
      Array.from({ length: reader.int32() }, () => reader.int32()),
    )
  }
  return share
}

class BytesWriter {
  private readonly parts: Buffer[] = []

  int16(value: number): void {
    const part = Buffer.alloc(2)
    part.writeInt16BE(value)
    this.parts.push(part)
  }

  int32(value: number): void {
    const part = Buffer.alloc(4)
    part.writeInt32BE(value)
    this.parts.push(part)
  }

  text(value: string): void {
    const bytes = Buffer.from(value)
    this.int16(bytes.length)
    this.parts.push(bytes)
  }

  bytes(value: Buffer): void {
    this.int32(value.length)
    this.parts.push(value)
  }

  take(): Buffer {
    return Buffer.concat(this.parts)
  }
}

class WireReader extends BytesReader {
  text(): string {
    return this.take(this.int16()).toString('utf8')
  }

  bytes(): Buffer {
    return this.take(Math.max(0, this.int32()))
  }
}
