/**
 * Finds the slot of a key among bytes, without making a string: open addressing with linear
 * probing, at most half full. Slots are numbered in the order in which their keys were first seen.
 */
export class KeyTable {
  private table: Int32Array
  private hashes = new Int32Array(1_024)
  private starts = new Float64Array(1_024)
  private arena: Buffer
  private used = 0
  size = 0

  constructor(slots = 1_024) {
    this.table = new Int32Array(2 * slots).fill(-1)
    this.arena = Buffer.allocUnsafe(32 * slots)
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
    return this.arena.toString('utf8', this.starts[slot], this.starts[slot + 1])
  }

  get bytes(): number {
    const { table, hashes, starts, arena } = this
    return table.byteLength + hashes.byteLength + starts.byteLength + arena.length
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
    const { arena } = this
    let at = this.starts[slot]!
    if (this.starts[slot + 1]! - at !== end - start) return false
    for (let i = start; i < end; i++) if (arena[at++] !== bytes[i]) return false
    return true
  }

  private add(bytes: Uint8Array, start: number, end: number, hash: number, place: number): number {
    const slot = this.size++
    const length = end - start
    if (slot + 2 > this.starts.length) {
      this.starts = grown(this.starts, new Float64Array(2 * this.starts.length))
      this.hashes = grown(this.hashes, new Int32Array(2 * this.hashes.length))
    }
    if (this.used + length > this.arena.length) {
      this.arena = grown(this.arena, Buffer.allocUnsafe(2 * (this.arena.length + length)))
    }
    this.arena.set(bytes.subarray(start, end), this.used)
    this.starts[slot] = this.used
    this.used += length
    this.starts[slot + 1] = this.used
    this.hashes[slot] = hash
    this.table[place] = slot
    if (this.size * 2 > this.table.length) this.rehash()
    return slot
  }

  private rehash(): void {
    const table = new Int32Array(2 * this.table.length).fill(-1)
    const mask = table.length - 1
    for (let slot = 0; slot < this.size; slot++) {
      let place = this.hashes[slot]! & mask
      while (table[place]! >= 0) place = (place + 1) & mask
      table[place] = slot
    }
    this.table = table
  }
}

function grown<T extends { set(from: T): void }>(from: T, into: T): T {
  into.set(from)
  return into
}

/** FNV-1a, 32 bits, with its high bits folded down: the table takes the low ones. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  return hash ^ (hash >>> 15)
}
