import { columnOf, i32, u8 } from '../columns.ts'
import type { PagedArray } from './pages.ts'
import type { Plain } from './part.ts'

const NONE = -1

/**
 * Where the entries of many short lists lie in one arena: each in a block of consecutive places,
 * whose size is a power of two and which lies within one page. What a list has outgrown is used
 * again by others: a free block's first number says where the next free one of its size is.
 */
export class Blocks {
  /** Of each list: its first place, its room (0: none, else 1 + log2), its entries. */
  readonly base = columnOf(i32())
  private readonly room = columnOf(u8())
  readonly length = columnOf(i32())
  private readonly links: PagedArray
  private readonly shift: number
  private readonly width: number
  private readonly smallest: number
  /** By log2 of the size: the first free block. */
  private heads: number[] = new Array<number>(32).fill(NONE)
  private next = 0

  /**
   * @param links Doubles, `width` of them for each place, in pages of `2 ** shift` places.
   * @param smallest The log2 of the smallest block.
   */
  constructor(links: PagedArray, shift: number, width: number, smallest: number) {
    this.links = links
    this.shift = shift
    this.width = width
    this.smallest = smallest
  }

  get arrays() {
    return { base: this.base, room: this.room, length: this.length }
  }

  get bytes(): number {
    return this.base.bytes + this.room.bytes + this.length.bytes
  }

  grow(lists: number): void {
    this.base.grow(lists)
    this.room.grow(lists)
    this.length.grow(lists)
  }

  isFull(list: number): boolean {
    const room = this.room.get(list)
    return room === 0 || this.length.get(list) === 1 << (room - 1)
  }

  /** Gives a list a block of twice its room. `move` copies what the old one holds. */
  enlarge(list: number, move: (from: number, to: number, count: number) => void): void {
    const room = this.room.get(list)
    const size = room === 0 ? this.smallest : room
    const from = this.base.get(list)
    const to = this.take(size)
    const count = this.length.get(list)
    if (count > 0) move(from, to, count)
    if (room > 0) this.release(from, room - 1)
    this.base.set(list, to)
    this.room.set(list, size + 1)
  }

  /** Empties a list, and gives its block back. */
  forget(list: number): void {
    const room = this.room.get(list)
    if (room > 0) this.release(this.base.get(list), room - 1)
    this.base.set(list, 0)
    this.room.set(list, 0)
    this.length.set(list, 0)
  }

  private take(size: number): number {
    const free = this.heads[size]!
    if (free !== NONE) {
      this.heads[size] = this.links.pages[free >>> this.shift]![this.linkOf(free)]!
      return free
    }
    // Aligned to its own size, so that it never straddles two pages.
    const entries = 2 ** size
    const place = Math.ceil(this.next / entries) * entries
    this.next = place + entries
    this.links.growPages(((this.next - 1) >>> this.shift) + 1)
    return place
  }

  private release(place: number, size: number): void {
    const page = this.links.open(place >>> this.shift)
    page[this.linkOf(place)] = this.heads[size]!
    this.heads[size] = place
  }

  private linkOf(place: number): number {
    return (place & (2 ** this.shift - 1)) * this.width
  }

  save(): Plain {
    return { next: this.next, heads: this.heads }
  }

  load(plain: Plain): void {
    const { next, heads } = plain as { next: number; heads: number[] }
    this.next = next
    this.heads = heads
    if (next > 0) this.links.growPages(((next - 1) >>> this.shift) + 1)
  }
}
