/**
 * State in columns: one slot a series, values in pages of typed arrays. A column grows by a page,
 * so that growth copies nothing.
 */

export const PAGE_SLOTS = 4_096
const SHIFT = 12
const MASK = PAGE_SLOTS - 1

type Page = Float64Array | Int32Array | Uint16Array | Uint8Array

/** What an operator declares: how many values of which type each slot has. */
export interface ColumnDeclaration {
  readonly type: 'f64' | 'i32' | 'u16' | 'u8'
  readonly width: number
}

export const f64 = (width = 1): ColumnDeclaration => ({ type: 'f64', width })
export const i32 = (width = 1): ColumnDeclaration => ({ type: 'i32', width })
export const u16 = (width = 1): ColumnDeclaration => ({ type: 'u16', width })
export const u8 = (width = 1): ColumnDeclaration => ({ type: 'u8', width })

const BYTES = { f64: 8, i32: 4, u16: 2, u8: 1 } as const

export class Column {
  readonly declaration: ColumnDeclaration
  private readonly pages: Page[] = []
  private readonly width: number

  constructor(declaration: ColumnDeclaration) {
    this.declaration = declaration
    this.width = declaration.width
  }

  /** Makes room for `slots` slots; new ones are 0. */
  grow(slots: number): void {
    while (this.pages.length * PAGE_SLOTS < slots) this.pages.push(this.page())
  }

  private page(): Page {
    const length = PAGE_SLOTS * this.width
    switch (this.declaration.type) {
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

  get(slot: number, index = 0): number {
    return this.pages[slot >> SHIFT]![(slot & MASK) * this.width + index]!
  }

  set(slot: number, value: number, index = 0): void {
    this.pages[slot >> SHIFT]![(slot & MASK) * this.width + index] = value
  }

  fill(slot: number, value: number): void {
    const from = (slot & MASK) * this.width
    this.pages[slot >> SHIFT]!.fill(value, from, from + this.width)
  }

  /** Copies the first `count` values of a slot, and answers `into`. */
  copy(slot: number, count: number, into: Float64Array): Float64Array {
    const page = this.pages[slot >> SHIFT]!
    const from = (slot & MASK) * this.width
    for (let i = 0; i < count; i++) into[i] = page[from + i]!
    return into
  }

  get bytes(): number {
    return this.pages.length * PAGE_SLOTS * this.width * BYTES[this.declaration.type]
  }
}

export type Columns<D extends Record<string, ColumnDeclaration>> = {
  readonly [K in keyof D]: Column
}

/** The columns of one operator in one task. */
export class ColumnSet<D extends Record<string, ColumnDeclaration>> {
  readonly columns: Columns<D>
  private readonly all: readonly Column[]

  constructor(declarations: D) {
    const made: Record<string, Column> = {}
    for (const [name, declaration] of Object.entries(declarations)) {
      made[name] = new Column(declaration)
    }
    this.columns = made as Columns<D>
    this.all = Object.values(made)
  }

  grow(slots: number): void {
    for (const column of this.all) column.grow(slots)
  }

  get bytes(): number {
    return this.all.reduce((sum, column) => sum + column.bytes, 0)
  }
}
