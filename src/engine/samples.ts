import { LIMITS } from '../kernel/limits.ts'
import { Blocks } from './state/blocks.ts'
import { DIRTY, PagedArray } from './state/pages.ts'
import type { Page } from './state/pages.ts'
import type { KeyedPart, Plain } from './state/part.ts'

/**
 * The samples of all series of a task: for each series a list ascending in `at`, in blocks of an
 * arena of typed arrays. Pages of sequence numbers and of qualities take no memory while nobody
 * says any.
 */

const SHIFT = Math.log2(LIMITS.samplesPerSeriesMax)
const PAGE = 2 ** SHIFT
const MASK = PAGE - 1
/** The log2 of the samples in the smallest block. */
const SMALLEST = 3

export class SampleStore implements KeyedPart {
  private readonly at = new PagedArray('f64', PAGE)
  private readonly value = new PagedArray('f64', PAGE)
  private readonly seq = new PagedArray('f64', PAGE, -Infinity)
  private readonly quality = new PagedArray('u8', PAGE)
  private readonly all = [this.at, this.value, this.seq, this.quality]
  private readonly blocks = new Blocks(this.at, SHIFT, 1, SMALLEST)
  readonly arrays: Readonly<Record<string, PagedArray>> = {
    at: this.at,
    value: this.value,
    seq: this.seq,
    quality: this.quality,
    ...this.blocks.arrays,
  }

  /** Makes room for `lists` lists; new ones are empty. */
  grow(lists: number): void {
    this.blocks.grow(lists)
  }

  count(list: number): number {
    return this.blocks.length.get(list)
  }

  atOf(list: number, index: number): number {
    const place = this.blocks.base.get(list) + index
    return this.at.pages[place >>> SHIFT]![place & MASK]!
  }

  valueOf(list: number, index: number): number {
    const place = this.blocks.base.get(list) + index
    return this.value.pages[place >>> SHIFT]![place & MASK]!
  }

  seqOf(list: number, index: number): number {
    const place = this.blocks.base.get(list) + index
    return this.seq.pages[place >>> SHIFT]![place & MASK]!
  }

  qualityOf(list: number, index: number): number {
    const place = this.blocks.base.get(list) + index
    return this.quality.pages[place >>> SHIFT]![place & MASK]!
  }

  /** The index of the first sample at or after `at`; the count where there is none. */
  lowerBound(list: number, at: number): number {
    const count = this.blocks.length.get(list)
    // Nearly all come in order: look at the end first.
    if (count === 0 || this.atOf(list, count - 1) < at) return count
    let low = 0
    let high = count - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.atOf(list, middle) < at) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Puts a sample at `index`. Answers false where the list is at its limit. */
  insert(
    list: number,
    index: number,
    at: number,
    value: number,
    seq: number,
    quality: number,
  ): boolean {
    const { blocks } = this
    const count = blocks.length.get(list)
    if (count >= LIMITS.samplesPerSeriesMax) return false
    if (blocks.isFull(list)) this.enlarge(list)
    const place = blocks.base.get(list) + index
    if (index < count) this.move(place, place + 1, count - index)
    blocks.length.set(list, count + 1)
    this.replace(list, index, at, value, seq, quality)
    return true
  }

  replace(
    list: number,
    index: number,
    at: number,
    value: number,
    seq: number,
    quality: number,
  ): void {
    const place = this.blocks.base.get(list) + index
    const page = place >>> SHIFT
    const within = place & MASK
    write(this.at, page, within, at)
    write(this.value, page, within, value)
    write(this.seq, page, within, seq)
    writeQuality(this.quality, page, within, quality)
  }

  /** Forgets the first `count` samples of a list. */
  dropFirst(list: number, count: number): void {
    if (count <= 0) return
    const left = this.blocks.length.get(list) - count
    const place = this.blocks.base.get(list)
    if (left > 0) this.move(place + count, place, left)
    this.blocks.length.set(list, left)
  }

  forget(list: number): void {
    this.blocks.forget(list)
  }

  get bytes(): number {
    return this.all.reduce((sum, array) => sum + array.bytes, this.blocks.bytes)
  }

  save(): Plain {
    return this.blocks.save()
  }

  load(plain: Plain): void {
    this.blocks.load(plain)
    for (const array of this.all) array.growPages(this.at.pages.length)
  }

  private move(from: number, to: number, count: number): void {
    const start = from & MASK
    for (const array of this.all) {
      if (array.isBlank(from >>> SHIFT) && array.isBlank(to >>> SHIFT)) continue
      const target = array.open(to >>> SHIFT)
      const source = array.pages[from >>> SHIFT]!
      if (source === target) moveWithin(target, start, to & MASK, count)
      else target.set(source.subarray(start, start + count), to & MASK)
    }
  }

  private enlarge(list: number): void {
    // What the new block needs is there before anything is moved into it.
    const pages = this.at.pages.length
    this.blocks.enlarge(list, (from, to, count) => {
      this.growAll()
      this.move(from, to, count)
    })
    if (this.at.pages.length > pages) this.growAll()
  }

  private growAll(): void {
    for (const array of this.all) array.growPages(this.at.pages.length)
  }
}

function writeQuality(array: PagedArray, page: number, within: number, value: number): void {
  if (array.states[page] !== DIRTY && !array.touch(page, value)) return
  array.pages[page]![within] = value
}

/** The same of numbers: each meets one kind of array. */
function write(array: PagedArray, page: number, within: number, value: number): void {
  if (array.states[page] !== DIRTY && !array.touch(page, value)) return
  array.pages[page]![within] = value
}

/** A few values are moved faster one by one than by a call. */
const LOOPED = 8

function moveWithin(page: Page, from: number, to: number, count: number): void {
  if (count > LOOPED) page.copyWithin(to, from, from + count)
  else if (to <= from) for (let i = 0; i < count; i++) page[to + i] = page[from + i]!
  else for (let i = count - 1; i >= 0; i--) page[to + i] = page[from + i]!
}
