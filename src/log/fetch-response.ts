import { ResponseError } from '@platformatic/kafka'
import { BytesReader } from './bytes-reader.ts'

/**
 * The answer to a fetch, the records of each partition left as the bytes that they are. Source:
 * kafka.apache.org, protocol guide, "Fetch Response" versions 13 to 17.
 */
export interface FetchedPartition {
  readonly partitionIndex: number
  readonly errorCode: number
  readonly records: Buffer
}

export interface FetchAnswer {
  readonly throttleTimeMs: number
  readonly errorCode: number
  readonly sessionId: number
  readonly responses: readonly {
    readonly topicId: string
    readonly partitions: readonly FetchedPartition[]
  }[]
  readonly nodeEndpoints: readonly []
}

export const FETCH_KEY = 1
export const FETCH_VERSION_MIN = 13

/** @throws ResponseError, as the library's own parser does: it decides by it what to try again. */
export function parseFetch(bytes: Buffer, version: number): FetchAnswer {
  const reader = new AnswerReader(bytes)
  const errors: [path: string, [code: number, message: null]][] = []
  const throttleTimeMs = reader.int32()
  const errorCode = reader.int16()
  if (errorCode !== 0) errors.push(['', [errorCode, null]])
  const sessionId = reader.int32()
  const responses = reader.array((i) => {
    const topicId = reader.uuid()
    const partitions = reader.array((j) => {
      const one = partitionOf(reader)
      if (one.errorCode !== 0)
        errors.push([`/responses/${i}/partitions/${j}`, [one.errorCode, null]])
      return one
    })
    return { topicId, partitions }
  })
  const answer: FetchAnswer = { throttleTimeMs, errorCode, sessionId, responses, nodeEndpoints: [] }
  if (errors.length === 0) return answer
  throw new ResponseError(FETCH_KEY, version, Object.fromEntries(errors), answer)
}

function partitionOf(reader: AnswerReader): FetchedPartition {
  const partitionIndex = reader.int32()
  const errorCode = reader.int16()
  // High watermark, last stable offset, log start offset.
  reader.skip(24)
  // Aborted transactions: nothing here reads only what is committed.
  reader.array(() => reader.skip(16))
  // The preferred replica: we read from leaders.
  reader.skip(4)
  return { partitionIndex, errorCode, records: reader.bytes() }
}

class AnswerReader extends BytesReader {
  skip(length: number): void {
    this.at += length
  }

  uuid(): string {
    const hex = this.buffer.toString('hex', this.at, this.at + 16)
    this.at += 16
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  }

  /** Compact bytes: their length is one up, 0 is null. */
  bytes(): Buffer {
    return this.take(Math.max(0, this.varint() - 1))
  }

  /** A compact array of structures, each with its tagged fields behind it. */
  array<T>(read: (i: number) => T): T[] {
    const length = Math.max(0, this.varint() - 1)
    return Array.from({ length }, (_, i) => {
      const one = read(i)
      this.tags()
      return one
    })
  }

  private tags(): void {
    for (let left = this.varint(); left > 0; left--) {
      this.varint()
      this.at += this.varint()
    }
  }

  private varint(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.buffer[this.at++]!
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }
}
