import { engineErrors } from './errors.ts'
import { Blocks } from './state/blocks.ts'
import { DIRTY, PagedArray } from './state/pages.ts'
import type { KeyedPart, Plain } from './state/part.ts'

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

/** The log2 of the entries of the smallest block, and of what a page holds at least. */
const SMALLEST = 2
const PAGE_SHIFT_MIN = 10

export class BoundedLists<Field extends string = string> implements KeyedPart {
  private readonly width: number
  private readonly max: number
  private readonly shift: number
  private readonly mask: number
  private readonly place: ReadonlyMap<Field, number>
  private readonly entries: PagedArray
  private readonly blocks: Blocks
  readonly arrays: Readonly<Record<string, PagedArray>>

  constructor(declaration: ListDeclaration<Field>) {
    this.width = declaration.fields.length
    this.max = declaration.max
    // A block lies within one page, so a page holds at least the largest.
    this.shift = Math.max(PAGE_SHIFT_MIN, Math.ceil(Math.log2(declaration.max)))
    this.mask = 2 ** this.shift - 1
    this.place = new Map(declaration.fields.map((field, i) => [field, i]))
    this.entries = new PagedArray('f64', this.width * 2 ** this.shift)
    this.blocks = new Blocks(this.entries, this.shift, this.width, SMALLEST)
    this.arrays = { entries: this.entries, ...this.blocks.arrays }
  }

  /** The number by which `get` and `set` know a field. */
  field(name: Field): number {
    return this.place.get(name)!
  }

  grow(slots: number): void {
    this.blocks.grow(slots)
  }

  count(slot: number): number {
    return this.blocks.length.get(slot)
  }

  get(slot: number, index: number, field: number): number {
    const at = this.blocks.base.get(slot) + index
    return this.entries.pages[at >>> this.shift]![(at & this.mask) * this.width + field]!
  }

  set(slot: number, index: number, field: number, value: number): void {
    const at = this.blocks.base.get(slot) + index
    const page = at >>> this.shift
    if (this.entries.states[page] !== DIRTY) this.entries.open(page)
    this.entries.pages[page]![(at & this.mask) * this.width + field] = value
  }

  /** Adds an entry of zeros at the end, and answers its index. @throws engine.listFull */
  push(slot: number): number {
    const { blocks } = this
    const count = blocks.length.get(slot)
    if (count >= this.max) throw engineErrors.listFull({ slot, max: this.max })
    if (blocks.isFull(slot)) blocks.enlarge(slot, (from, to, n) => this.move(from, to, n))
    blocks.length.set(slot, count + 1)
    for (let field = 0; field < this.width; field++) this.set(slot, count, field, 0)
    return count
  }

  /** Forgets the first `count` entries. */
  dropFirst(slot: number, count: number): void {
    const left = this.blocks.length.get(slot) - count
    const base = this.blocks.base.get(slot)
    if (left > 0) this.move(base + count, base, left)
    this.blocks.length.set(slot, left)
  }

  forget(slot: number): void {
    this.blocks.forget(slot)
  }

  get bytes(): number {
    return this.entries.bytes + this.blocks.bytes
  }

  save(): Plain {
    return this.blocks.save()
  }

  load(plain: Plain): void {
    this.blocks.load(plain)
  }

  private move(from: number, to: number, count: number): void {
    const { width, shift, mask } = this
    const target = this.entries.open(to >>> shift)
    const source = this.entries.pages[from >>> shift]!
    const start = (from & mask) * width
    const end = start + count * width
    if (source === target) target.copyWithin((to & mask) * width, start, end)
    else target.set(source.subarray(start, end), (to & mask) * width)
  }
}
