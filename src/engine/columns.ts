import { DIRTY, ELEMENT_BYTES, PagedArray } from './state/pages.ts'
import type { ElementType, Page } from './state/pages.ts'
import type { KeyedPart } from './state/part.ts'

/** State in columns: one slot a series, values in pages of typed arrays. */

/** A page holds no more slots than this, and no more bytes where a slot is wide. */
const PAGE_SLOTS_MAX = 2_048
const PAGE_BYTES_MAX = 64 * 1024

/** What an operator declares: how many values of which type each slot has. */
export interface ColumnDeclaration {
  readonly type: ElementType
  readonly width: number
  /** What a new slot's values are; 0 where it is not said. */
  readonly initial?: number
}

const declared = (type: ElementType, width: number, initial?: number): ColumnDeclaration =>
  initial === undefined ? { type, width } : { type, width, initial }

export const f64 = (width = 1, initial?: number) => declared('f64', width, initial)
export const i32 = (width = 1, initial?: number) => declared('i32', width, initial)
export const u16 = (width = 1, initial?: number) => declared('u16', width, initial)
export const u8 = (width = 1, initial?: number) => declared('u8', width, initial)

function pageShift({ type, width }: ColumnDeclaration): number {
  let shift = Math.log2(PAGE_SLOTS_MAX)
  while (shift > 0 && ELEMENT_BYTES[type] * width * 2 ** shift > PAGE_BYTES_MAX) shift--
  return shift
}

/**
 * One value or several of each slot. `get` and `set` are written out for each type: so each of them
 * meets one kind of array, and costs half of what it would if it met four.
 */
export abstract class Column extends PagedArray {
  readonly declaration: ColumnDeclaration
  protected readonly width: number
  protected readonly shift: number
  protected readonly mask: number

  constructor(declaration: ColumnDeclaration) {
    const shift = pageShift(declaration)
    super(declaration.type, declaration.width * 2 ** shift, declaration.initial)
    this.declaration = declaration
    this.width = declaration.width
    this.shift = shift
    this.mask = 2 ** shift - 1
  }

  override get shape(): string {
    return `${super.shape} by ${this.width}`
  }

  /** Makes room for `slots` slots; new ones have the initial value. */
  grow(slots: number): void {
    this.growPages(Math.ceil(slots / (this.mask + 1)))
  }

  abstract get(slot: number, index?: number): number
  abstract set(slot: number, value: number, index?: number): void

  fill(slot: number, value: number): void {
    const page = slot >> this.shift
    if (this.states[page] !== DIRTY && !this.touch(page, value)) return
    const from = (slot & this.mask) * this.width
    this.pages[page]!.fill(value, from, from + this.width)
  }

  /** Makes a slot's values what they were when it was new. */
  forget(slot: number): void {
    this.fill(slot, this.initial)
  }

  /** The page that a slot's values lie in, for one who writes them; and where they begin there. */
  writable(slot: number): Page {
    const page = slot >> this.shift
    return this.states[page] === DIRTY ? this.pages[page]! : this.open(page)
  }

  placeOf(slot: number): number {
    return (slot & this.mask) * this.width
  }

  /** Copies the first `count` values of a slot, and answers `into`. */
  copy(slot: number, count: number, into: Float64Array): Float64Array {
    const page = this.pages[slot >> this.shift]!
    const from = (slot & this.mask) * this.width
    for (let i = 0; i < count; i++) into[i] = page[from + i]!
    return into
  }
}

class F64Column extends Column {
  get(slot: number, index = 0): number {
    return this.pages[slot >> this.shift]![(slot & this.mask) * this.width + index]!
  }

  set(slot: number, value: number, index = 0): void {
    const page = slot >> this.shift
    if (this.states[page] !== DIRTY && !this.touch(page, value)) return
    this.pages[page]![(slot & this.mask) * this.width + index] = value
  }
}

class I32Column extends Column {
  get(slot: number, index = 0): number {
    return this.pages[slot >> this.shift]![(slot & this.mask) * this.width + index]!
  }

  set(slot: number, value: number, index = 0): void {
    const page = slot >> this.shift
    if (this.states[page] !== DIRTY && !this.touch(page, value)) return
    this.pages[page]![(slot & this.mask) * this.width + index] = value
  }
}

class U16Column extends Column {
  get(slot: number, index = 0): number {
    return this.pages[slot >> this.shift]![(slot & this.mask) * this.width + index]!
  }

  set(slot: number, value: number, index = 0): void {
    const page = slot >> this.shift
    if (this.states[page] !== DIRTY && !this.touch(page, value)) return
    this.pages[page]![(slot & this.mask) * this.width + index] = value
  }
}

class U8Column extends Column {
  get(slot: number, index = 0): number {
    return this.pages[slot >> this.shift]![(slot & this.mask) * this.width + index]!
  }

  set(slot: number, value: number, index = 0): void {
    const page = slot >> this.shift
    if (this.states[page] !== DIRTY && !this.touch(page, value)) return
    this.pages[page]![(slot & this.mask) * this.width + index] = value
  }
}

const COLUMNS = { f64: F64Column, i32: I32Column, u16: U16Column, u8: U8Column } as const

export function columnOf(declaration: ColumnDeclaration): Column {
  return new COLUMNS[declaration.type](declaration)
}

export type Columns<D extends Record<string, ColumnDeclaration>> = {
  readonly [K in keyof D]: Column
}

/** The columns of one operator in one task. */
export class ColumnSet<D extends Record<string, ColumnDeclaration>> implements KeyedPart {
  readonly columns: Columns<D>
  readonly arrays: Readonly<Record<string, Column>>
  private readonly all: readonly Column[]

  constructor(declarations: D) {
    const made: Record<string, Column> = {}
    for (const [name, declaration] of Object.entries(declarations)) {
      made[name] = columnOf(declaration)
    }
    this.columns = made as Columns<D>
    this.arrays = made
    this.all = Object.values(made)
  }

  grow(slots: number): void {
    for (const column of this.all) column.grow(slots)
  }

  forget(slot: number): void {
    for (const column of this.all) column.forget(slot)
  }

  get bytes(): number {
    return this.all.reduce((sum, column) => sum + column.bytes, 0)
  }
}
