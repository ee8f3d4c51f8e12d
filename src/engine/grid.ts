import type { Micros } from '../kernel/time.ts'

/** The last point of the grid of `step`, which 1970-01-01T00:00Z lies on, at or before `time`. */
export function floorTo(time: Micros, step: Micros): Micros {
  return Math.floor(time / step) * step
}

/** The finest step whose grid lies on both. */
export function commonMultiple(a: Micros, b: Micros): Micros {
  let [x, y] = [a, b]
  while (y !== 0) [x, y] = [y, x % y]
  return (a / x) * b
}

/**
 * Which windows there are, by series. Windows are known by their starts, ascend, and begin and end
 * in the same order. Of -Infinity and Infinity all methods answer the same.
 */
export interface Grid {
  /** The first window that holds `time`. */
  firstHolding(slot: number, time: Micros): Micros
  endOf(slot: number, start: Micros): Micros
  following(slot: number, start: Micros): Micros
}

/** Windows of one size, each begun `advance` after the one before it. */
export class FixedGrid implements Grid {
  private readonly size: Micros
  private readonly advance: Micros

  constructor(size: Micros, advance: Micros) {
    this.size = size
    this.advance = advance
  }

  firstHolding(_slot: number, time: Micros): Micros {
    return floorTo(time - this.size, this.advance) + this.advance
  }

  endOf(_slot: number, start: Micros): Micros {
    return start + this.size
  }

  following(_slot: number, start: Micros): Micros {
    return start + this.advance
  }
}
