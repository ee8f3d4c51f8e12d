import { engineErrors } from './errors.ts'

/**
 * Bounded lists: for each slot a short list of entries of `fields` doubles, in blocks of one arena.
 * A block's room is a power of two of entries; what a list has outgrown is used again by others.
 */
export interface ListDeclaration<Field extends string = string> {
  readonly fields: readonly Field[]
  /** Entries a slot; one more is an error, so that no series takes the memory of all others. */
  readonly max: number
}

/** What an operator without lists declares. */
// No names is what it says.
// eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type
export type NoLists = Record<never, ListDeclaration>

export function list<const Field extends string>(
  fields: readonly Field[],
  options: { max: number },
): ListDeclaration<Field> {
  return { fields, max: options.max }
}

const SMALLEST = 4

export class BoundedLists<Field extends string = string> {
  private readonly width: number
  private readonly max: number
  private readonly chunkEntries: number
  private readonly place: ReadonlyMap<Field, number>
  private readonly chunks: Float64Array[] = []
  private readonly free = new Map<number, number[]>()
  private next = 0
  private base = new Int32Array(0)
  private capacity = new Int32Array(0)
  private length = new Int32Array(0)

  constructor(declaration: ListDeclaration<Field>) {
    this.width = declaration.fields.length
    this.max = declaration.max
    // A block lies within one chunk, so a chunk holds at least the largest.
    this.chunkEntries = Math.max(8_192, 2 ** Math.ceil(Math.log2(declaration.max)))
    this.place = new Map(declaration.fields.map((field, i) => [field, i]))
  }

  /** The number by which `get` and `set` know a field. */
  field(name: Field): number {
    return this.place.get(name)!
  }

  grow(slots: number): void {
    if (slots <= this.base.length) return
    const room = Math.max(1_024, 2 * slots)
    for (const name of ['base', 'capacity', 'length'] as const) {
      const wider = new Int32Array(room)
      wider.set(this[name])
      this[name] = wider
    }
  }

  count(slot: number): number {
    return this.length[slot]!
  }

  get(slot: number, index: number, field: number): number {
    const at = this.base[slot]! + index
    return this.chunks[Math.floor(at / this.chunkEntries)]![
      (at % this.chunkEntries) * this.width + field
    ]!
  }

  set(slot: number, index: number, field: number, value: number): void {
    const at = this.base[slot]! + index
    this.chunks[Math.floor(at / this.chunkEntries)]![
      (at % this.chunkEntries) * this.width + field
    ] = value
  }

  /** Adds an entry of zeros at the end, and answers its index. @throws engine.listFull */
  push(slot: number): number {
    const count = this.length[slot]!
    if (count >= this.max) throw engineErrors.listFull({ slot, max: this.max })
    if (count === this.capacity[slot]!) this.enlarge(slot)
    this.length[slot] = count + 1
    for (let field = 0; field < this.width; field++) this.set(slot, count, field, 0)
    return count
  }

  /** Forgets the first `count` entries. */
  dropFirst(slot: number, count: number): void {
    const left = this.length[slot]! - count
    for (let i = 0; i < left; i++) {
      for (let field = 0; field < this.width; field++) {
        this.set(slot, i, field, this.get(slot, i + count, field))
      }
    }
    this.length[slot] = left
  }

  get bytes(): number {
    return this.chunks.length * this.chunkEntries * this.width * 8 + this.base.length * 12
  }

  private enlarge(slot: number): void {
    const { chunkEntries, width } = this
    const before = this.capacity[slot]!
    const room = before === 0 ? SMALLEST : 2 * before
    const from = this.base[slot]!
    const to = this.block(room)
    if (before > 0) {
      const start = (from % chunkEntries) * width
      const entries = this.chunks[Math.floor(from / chunkEntries)]!
      const target = this.chunks[Math.floor(to / chunkEntries)]!
      target.set(entries.subarray(start, start + before * width), (to % chunkEntries) * width)
      const blocks = this.free.get(before)
      if (blocks === undefined) this.free.set(before, [from])
      else blocks.push(from)
    }
    this.base[slot] = to
    this.capacity[slot] = room
  }

  private block(room: number): number {
    const used = this.free.get(room)?.pop()
    if (used !== undefined) return used
    // Aligned to its own size, so that it never straddles two chunks.
    const place = Math.ceil(this.next / room) * room
    this.next = place + room
    while (this.chunks.length * this.chunkEntries < this.next) {
      this.chunks.push(new Float64Array(this.chunkEntries * this.width))
    }
    return place
  }
}
