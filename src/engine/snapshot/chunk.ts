import { crc32 } from 'node:zlib'
import { LIMITS } from '../../kernel/limits.ts'
import type { Page } from '../state/pages.ts'

/**
 * A chunk of a snapshot, one record of the topic:
 *
 *     "MLC1" crc32 u32, over all that follows
 *     page*: name length u16, name, page number u32, length u32, bytes
 *
 * Numbers are little-endian, as typed arrays have them on every machine that we run on. A name is
 * that of an array or of plain text, see below.
 */

const MAGIC = 'MLC1'
const HEAD_BYTES = 8
const ENTRY_BYTES = 10

/** The name under which pages of an array go. */
export function arrayName(part: string, array: string): string {
  return `${part}:${array}`
}

/** The name under which the plain state of a part goes, as text in pieces. */
export function plainName(part: string): string {
  return `${part}=`
}

export function isPlain(name: string): boolean {
  return name.endsWith('=')
}

export function nodeOf(name: string): string {
  return name.slice(0, name.indexOf(':'))
}

/** Puts pages into a chunk until it is full; a page that is larger has a chunk to itself. */
export class ChunkWriter {
  private bytes: Buffer = Buffer.alloc(0)
  private used = 0
  private readonly firstBytes: number

  /** @param expectedBytes what all pages together take: less than a chunk needs no whole one. */
  constructor(expectedBytes = Infinity) {
    this.firstBytes = Math.min(LIMITS.snapshotChunkBytes, HEAD_BYTES + expectedBytes)
  }

  /** What a page takes in a chunk. */
  static bytesOf(name: Buffer, page: Page): number {
    return ENTRY_BYTES + name.length + page.byteLength
  }

  /** Answers false where the page has no room: `end` the chunk, then add it again. */
  add(name: Buffer, index: number, page: Page): boolean {
    const needs = ChunkWriter.bytesOf(name, page)
    if (this.used === 0) this.begin(Math.max(this.firstBytes, HEAD_BYTES + needs))
    else if (this.used + needs > this.bytes.length) return false
    const { bytes } = this
    let at = bytes.writeUInt16LE(name.length, this.used)
    at += name.copy(bytes, at)
    at = bytes.writeUInt32LE(index, at)
    at = bytes.writeUInt32LE(page.byteLength, at)
    bytes.set(new Uint8Array(page.buffer, page.byteOffset, page.byteLength), at)
    this.used = at + page.byteLength
    return true
  }

  private begin(bytes: number): void {
    this.bytes = Buffer.allocUnsafe(bytes)
    this.bytes.write(MAGIC, 0, 'latin1')
    this.used = HEAD_BYTES
  }

  get isEmpty(): boolean {
    return this.used === 0
  }

  /** The chunk, and its CRC. */
  end(): { value: Buffer; crc: number } {
    const value = this.bytes.subarray(0, this.used)
    const crc = crc32(value.subarray(HEAD_BYTES))
    value.writeUInt32LE(crc, 4)
    this.used = 0
    return { value, crc }
  }
}

/** The CRC that a chunk says it has, where it is one and has it; else undefined. */
export function crcOf(value: Buffer): number | undefined {
  if (value.length < HEAD_BYTES || value.toString('latin1', 0, 4) !== MAGIC) return undefined
  const crc = crc32(value.subarray(HEAD_BYTES))
  return value.readUInt32LE(4) === crc ? crc : undefined
}

/** Tells the pages of a sound chunk. */
export function readPages(
  value: Buffer,
  visit: (name: string, index: number, bytes: Buffer) => void,
): void {
  for (let at = HEAD_BYTES; at < value.length;) {
    const nameEnd = at + 2 + value.readUInt16LE(at)
    const name = value.toString('utf8', at + 2, nameEnd)
    const from = nameEnd + 8
    const to = from + value.readUInt32LE(nameEnd + 4)
    visit(name, value.readUInt32LE(nameEnd), value.subarray(from, to))
    at = to
  }
}
