import { columnOf, i32, u16 } from './columns.ts'
import { PagedArray } from './state/pages.ts'
import type { Plain, StatePart } from './state/part.ts'

const PAGE_BYTES = 64 * 1024

/**
 * Finds the slot of a key among bytes, without making a string: open addressing with linear
 * probing, at most half full. Slots are numbered in the order in which their keys were first seen.
 * The table of places follows from the keys, and is no state.
 */
export class KeyTable implements StatePart {
  private table: Int32Array
  private hashes = new Int32Array(1_024)
  /** Where a key begins in the bytes of all keys, and its length; none straddles two pages. */
  private readonly starts = columnOf(i32())
  private readonly lengths = columnOf(u16())
  private readonly text = new PagedArray('u8', PAGE_BYTES)
  readonly arrays = { starts: this.starts, lengths: this.lengths, text: this.text }
  private used = 0
  size = 0

  constructor(slots = 1_024) {
    this.table = new Int32Array(2 * slots).fill(-1)
  }

  /** The slot of the key in [start, end), or -1. */
  find(bytes: Uint8Array, start: number, end: number): number {
    return this.table[this.probe(bytes, start, end, hashOf(bytes, start, end))]!
  }

  /** The slot of the key, made where it is new (then `size` has grown by one). */
  findOrAdd(bytes: Uint8Array, start: number, end: number): number {
    const hash = hashOf(bytes, start, end)
    const place = this.probe(bytes, start, end, hash)
    const found = this.table[place]!
    return found >= 0 ? found : this.add(bytes, start, end, hash, place)
  }

  /** Whether the key of a slot is the bytes in [start, end). */
  is(slot: number, bytes: Uint8Array, start: number, end: number): boolean {
    return this.equals(slot, bytes, start, end)
  }

  /** The key of a slot. */
  keyOf(slot: number): string {
    const key = Buffer.allocUnsafe(this.lengthOf(slot))
    this.copyTo(slot, key, 0)
    return key.toString('utf8')
  }

  lengthOf(slot: number): number {
    return this.lengths.get(slot)
  }

  /** Copies the key of a slot to `at`, and answers where it ends there. */
  copyTo(slot: number, into: Buffer, at: number): number {
    const start = this.starts.get(slot)
    const page = this.text.pages[start >>> 16]!
    const from = start & 0xffff
    const length = this.lengths.get(slot)
    for (let i = 0; i < length; i++) into[at + i] = page[from + i]!
    return at + length
  }

  /** Below 0 where the key of `slot` comes before that of `other`, byte by byte. */
  compare(slot: number, other: number): number {
    const [a, b] = [this.starts.get(slot), this.starts.get(other)]
    const page = this.text.pages[a >>> 16]!
    const otherPage = this.text.pages[b >>> 16]!
    const [length, otherLength] = [this.lengthOf(slot), this.lengthOf(other)]
    for (let i = 0; i < length && i < otherLength; i++) {
      const difference = page[(a & 0xffff) + i]! - otherPage[(b & 0xffff) + i]!
      if (difference !== 0) return difference
    }
    return length - otherLength
  }

  get bytes(): number {
    const { table, hashes, starts, lengths, text } = this
    return table.byteLength + hashes.byteLength + starts.bytes + lengths.bytes + text.bytes
  }

  private probe(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const { table, hashes } = this
    const mask = table.length - 1
    let place = hash & mask
    for (;;) {
      const slot = table[place]!
      if (slot < 0 || (hashes[slot] === hash && this.equals(slot, bytes, start, end))) return place
      place = (place + 1) & mask
    }
  }

  private equals(slot: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.lengths.get(slot) !== end - start) return false
    const place = this.starts.get(slot)
    const page = this.text.pages[place >>> 16]!
    let at = place & 0xffff
    for (let i = start; i < end; i++) if (page[at++] !== bytes[i]) return false
    return true
  }

  private add(bytes: Uint8Array, start: number, end: number, hash: number, place: number): number {
    const slot = this.size++
    const length = end - start
    if ((this.used & 0xffff) + length > PAGE_BYTES) this.used = ((this.used >>> 16) + 1) << 16
    this.text.growPages(((this.used + Math.max(1, length) - 1) >>> 16) + 1)
    this.starts.grow(slot + 1)
    this.lengths.grow(slot + 1)
    this.text.open(this.used >>> 16).set(bytes.subarray(start, end), this.used & 0xffff)
    this.starts.set(slot, this.used)
    this.lengths.set(slot, length)
    this.used += length
    this.remember(slot, hash)
    this.table[place] = slot
    if (this.size * 2 > this.table.length) this.rehash()
    return slot
  }

  private remember(slot: number, hash: number): void {
    if (slot >= this.hashes.length) {
      const wider = new Int32Array(2 * this.hashes.length)
      wider.set(this.hashes)
      this.hashes = wider
    }
    this.hashes[slot] = hash
  }

  private rehash(): void {
    let room = this.table.length
    while (this.size * 2 > room) room *= 2
    const table = new Int32Array(room).fill(-1)
    const mask = table.length - 1
    for (let slot = 0; slot < this.size; slot++) {
      let place = this.hashes[slot]! & mask
      while (table[place]! >= 0) place = (place + 1) & mask
      table[place] = slot
    }
    this.table = table
  }

  save(): Plain {
    return { size: this.size, used: this.used }
  }

  load(plain: Plain): void {
    const { size, used } = plain as { size: number; used: number }
    this.size = size
    this.used = used
    this.starts.grow(size)
    this.lengths.grow(size)
    for (let slot = 0; slot < size; slot++) {
      const start = this.starts.get(slot)
      const page = this.text.pages[start >>> 16] as Uint8Array
      const from = start & 0xffff
      this.remember(slot, hashOf(page, from, from + this.lengths.get(slot)))
    }
    this.table = new Int32Array(this.table.length).fill(-1)
    this.rehash()
  }
}

/** FNV-1a, 32 bits, with its high bits folded down: the table takes the low ones. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  return hash ^ (hash >>> 15)
}
