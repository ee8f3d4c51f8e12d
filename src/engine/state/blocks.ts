import { columnOf, i32, u8 } from '../columns.ts'
import type { PagedArray } from './pages.ts'
import type { Plain } from './part.ts'

const NONE = -1

/** The second number of a free block is that of the one before it. */
const BEFORE = 1

/**
 * Where the entries of many short lists lie in one arena: each in a block of consecutive places,
 * whose size is a power of two and which lies within one page. What a list has outgrown is used
 * again by others: halves of one block that are both free become one, and a block that is too large
 * is halved (buddies, Knowlton 1965). A free block's first two numbers say which free ones of its
 * size come after it and before it.
 */
export class Blocks {
  /** Of each list: its first place, its room (0: none, else 1 + log2), its entries. */
  readonly base = columnOf(i32())
  private readonly room = columnOf(u8())
  readonly length = columnOf(i32())
  /** By place, in smallest blocks: 1 + log2 of the size of the free block that begins there. */
  private readonly free = columnOf(u8())
  private readonly links: PagedArray
  private readonly shift: number
  private readonly width: number
  private readonly smallest: number
  /** By log2 of the size: the first free block. */
  private heads: number[] = new Array<number>(32).fill(NONE)
  private next = 0

  /**
   * @param links Doubles, `width` of them for each place, in pages of `2 ** shift` places.
   * @param smallest The log2 of the smallest block, which holds two doubles or more.
   */
  constructor(links: PagedArray, shift: number, width: number, smallest: number) {
    this.links = links
    this.shift = shift
    this.width = width
    this.smallest = smallest
  }

  get arrays() {
    return { base: this.base, room: this.room, length: this.length, free: this.free }
  }

  get bytes(): number {
    return this.base.bytes + this.room.bytes + this.length.bytes + this.free.bytes
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
    let found = size
    while (found < this.shift && this.heads[found] === NONE) found++
    const place = this.heads[found]!
    if (place === NONE) return this.takeNew(size)
    this.unlink(place, found)
    // The upper half is free, and the lower one may be halved again.
    while (found > size) this.link(place + 2 ** --found, found)
    return place
  }

  /** Aligned to its own size, so that it never straddles two pages. */
  private takeNew(size: number): number {
    const entries = 2 ** size
    const place = Math.ceil(this.next / entries) * entries
    const before = this.next
    this.next = place + entries
    this.growAll()
    for (let at = before; at < place;) {
      const fits = 31 - Math.clz32(at & -at)
      this.release(at, fits)
      at += 2 ** fits
    }
    return place
  }

  private growAll(): void {
    if (this.next === 0) return
    this.links.growPages(((this.next - 1) >>> this.shift) + 1)
    this.free.grow(((this.next - 1) >>> this.smallest) + 1)
  }

  private release(place: number, size: number): void {
    for (; size < this.shift; size++) {
      const buddy = place ^ (2 ** size)
      if (buddy >= this.next || this.free.get(buddy >>> this.smallest) !== size + 1) break
      this.unlink(buddy, size)
      place = Math.min(place, buddy)
    }
    this.link(place, size)
  }

  private link(place: number, size: number): void {
    const after = this.heads[size]!
    const page = this.links.open(place >>> this.shift)
    page[this.linkOf(place)] = after
    page[this.linkOf(place) + BEFORE] = NONE
    if (after !== NONE) this.write(after, BEFORE, place)
    this.heads[size] = place
    this.free.set(place >>> this.smallest, size + 1)
  }

  private unlink(place: number, size: number): void {
    const page = this.links.pages[place >>> this.shift]!
    const after = page[this.linkOf(place)]!
    const before = page[this.linkOf(place) + BEFORE]!
    if (before === NONE) this.heads[size] = after
    else this.write(before, 0, after)
    if (after !== NONE) this.write(after, BEFORE, before)
    this.free.set(place >>> this.smallest, 0)
  }

  private write(place: number, link: number, value: number): void {
    this.links.open(place >>> this.shift)[this.linkOf(place) + link] = value
  }

  private linkOf(place: number): number {
    return (place & (2 ** this.shift - 1)) * this.width
  }

  save(): Plain {
    return { next: this.next, heads: [...this.heads] }
  }

  load(plain: Plain): void {
    const { next, heads } = plain as { next: number; heads: number[] }
    this.next = next
    this.heads = heads
    this.growAll()
  }
}
