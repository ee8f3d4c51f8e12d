/**
 * An array in pages: it grows by a page, so that growth copies nothing, and each page knows whether
 * a snapshot has it.
 *
 * - blank: never written; reads as the initial value and takes no memory.
 * - clean: as the newest snapshot has it.
 * - dirty: written since.
 * - frozen: being written to a snapshot. A write leaves the page to the snapshot and goes on in a
 *   copy, so that taking a snapshot never holds up the work.
 */

export type Page = Float64Array | Int32Array | Uint16Array | Uint8Array
export type ElementType = 'f64' | 'i32' | 'u16' | 'u8'

export const ELEMENT_BYTES = { f64: 8, i32: 4, u16: 2, u8: 1 } as const

const CLEAN = 0
/** A writer writes where it finds this, and calls `touch` where it does not. */
export const DIRTY = 1
const FROZEN = 2
const BLANK = 3

/** What blank pages of one shape read: one for all, never written. */
const blanks = new Map<string, Page>()

export class PagedArray {
  readonly type: ElementType
  readonly pageElements: number
  readonly initial: number
  /** For those who read and write elements; a writer looks at `states` first. */
  readonly pages: Page[] = []
  states = new Uint8Array(16)
  private readonly blank: Page
  private written = 0

  constructor(type: ElementType, pageElements: number, initial = 0) {
    this.type = type
    this.pageElements = pageElements
    this.initial = initial
    const shape = `${type} ${pageElements} ${initial}`
    const known = blanks.get(shape)
    this.blank = known ?? this.made()
    if (known === undefined) blanks.set(shape, this.blank)
  }

  private made(): Page {
    const page = emptyPage(this.type, this.pageElements)
    return this.initial === 0 ? page : page.fill(this.initial)
  }

  /** Makes room for pages [0, count). */
  growPages(count: number): void {
    if (count <= this.pages.length) return
    if (count > this.states.length) {
      const states = new Uint8Array(2 * count)
      states.set(this.states)
      this.states = states
    }
    this.states.fill(BLANK, this.pages.length, count)
    while (this.pages.length < count) this.pages.push(this.blank)
  }

  /**
   * Makes a page that is not dirty ready to be written. Answers false where `value` needs no
   * writing: the page is blank, and reads so already.
   */
  touch(index: number, value: number): boolean {
    if (this.states[index] === BLANK && Object.is(value, this.initial)) return false
    this.open(index)
    return true
  }

  /** A page that may be written. */
  open(index: number): Page {
    const state = this.states[index]
    if (state === BLANK) {
      this.pages[index] = this.made()
      this.written++
    } else if (state === FROZEN) {
      this.pages[index] = this.pages[index]!.slice()
    }
    this.states[index] = DIRTY
    return this.pages[index]!
  }

  isBlank(index: number): boolean {
    return this.states[index] === BLANK
  }

  /** Freezes what is dirty and tells it; with `all` what is clean too. */
  freeze(all: boolean, visit: (index: number, page: Page) => void): void {
    const { pages, states } = this
    for (let i = 0; i < pages.length; i++) {
      const state = states[i]
      if (state !== DIRTY && !(all && state === CLEAN)) continue
      states[i] = FROZEN
      visit(i, pages[i]!)
    }
  }

  /** A frozen page has been copied out: writers need no copy of it any more. */
  thaw(index: number): void {
    if (this.states[index] === FROZEN) this.states[index] = CLEAN
  }

  /** The snapshot that a page was frozen for came to nothing: the next one takes it. */
  spoil(index: number): void {
    if (this.states[index] !== BLANK) this.states[index] = DIRTY
  }

  /** Takes a page from a snapshot; its length is a page's. */
  loadPage(index: number, bytes: Uint8Array): void {
    this.growPages(index + 1)
    const page = this.open(index)
    new Uint8Array(page.buffer).set(bytes)
    this.states[index] = CLEAN
  }

  /** What its elements are and how they lie: pages of another shape mean something else. */
  get shape(): string {
    return `${this.type} ${this.pageElements} ${this.initial}`
  }

  get pageBytes(): number {
    return this.pageElements * ELEMENT_BYTES[this.type]
  }

  /** Bytes held; blank pages hold none. */
  get bytes(): number {
    return this.written * this.pageBytes
  }
}

function emptyPage(type: ElementType, length: number): Page {
  switch (type) {
    case 'f64':
      return new Float64Array(length)
    case 'i32':
      return new Int32Array(length)
    case 'u16':
      return new Uint16Array(length)
    case 'u8':
      return new Uint8Array(length)
  }
}
