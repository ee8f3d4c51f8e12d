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
