/** Points of a line with its gaps: x ascending, y null where the line is broken. */
export interface Line {
  readonly x: readonly number[]
  readonly y: readonly (number | null)[]
}

/** A distance of more than so many expected intervals is a gap. */
export const GAP_INTERVALS = 2.5

/**
 * Breaks the line where two points are further apart than `gap`, in the unit of x; the break
 * lies in the middle, where no point is. `gap` undefined: nobody knows what is expected, and
 * nothing is broken.
 */
export function withGaps({ x, y }: Line, gap: number | undefined): Line {
  if (gap === undefined) return { x, y }
  const xs: number[] = []
  const ys: (number | null)[] = []
  for (let i = 0; i < x.length; i++) {
    if (i > 0 && x[i]! - x[i - 1]! > gap) {
      xs.push((x[i - 1]! + x[i]!) / 2)
      ys.push(null)
    }
    xs.push(x[i]!)
    ys.push(y[i]!)
  }
  return { x: xs, y: ys }
}

/** Points that no line touches, and that must be drawn as points to be seen. */
export function lonePoints({ y }: Line, from = 0, to = y.length - 1): number[] {
  const found: number[] = []
  for (let i = from; i <= to; i++) {
    if (y[i] === null || y[i] === undefined) continue
    if ((y[i - 1] ?? null) === null && (y[i + 1] ?? null) === null) found.push(i)
  }
  return found
}

/** The median distance of points; undefined where there are fewer than `least` distances. */
export function medianGap(x: readonly number[], least = 4): number | undefined {
  const gaps: number[] = []
  for (let i = 1; i < x.length; i++) gaps.push(x[i]! - x[i - 1]!)
  if (gaps.length < least) return undefined
  gaps.sort((a, b) => a - b)
  return gaps[gaps.length >> 1]
}

/** Index of the last x at or before `at`; -1 where there is none. */
export function indexAt(x: readonly number[], at: number): number {
  let low = 0
  let high = x.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (x[middle]! <= at) low = middle + 1
    else high = middle
  }
  return low - 1
}
