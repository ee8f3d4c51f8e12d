/**
 * The order in which rows are sent: by time, and of one time as they came, so that the later of two
 * rows with one identity is the one that QuestDB keeps. Sorted rows reach its partitions one after
 * the other.
 *
 * A radix sort by the time's distance from the earliest, eleven bits a pass: no comparison is
 * called, and it is stable by nature. Rows that are in order already cost one look at each.
 */

const DIGIT_BITS = 11
const DIGITS = 2 ** DIGIT_BITS

/** Row numbers 0 <= i < count in ascending order of `times` (whole numbers), stable. */
export function orderByTime(times: Float64Array, count: number): Uint32Array {
  let order = new Uint32Array(count)
  for (let i = 0; i < count; i++) order[i] = i
  if (count < 2) return order
  let min = times[0]!
  let max = min
  let sorted = true
  for (let i = 1; i < count; i++) {
    const time = times[i]!
    if (time < times[i - 1]!) sorted = false
    if (time < min) min = time
    else if (time > max) max = time
  }
  if (sorted) return order
  let other = new Uint32Array(count)
  const starts = new Uint32Array(DIGITS)
  // Times are below 2^53, so that dividing by a power of two and flooring is exact.
  for (let scale = 1; scale <= max - min; scale *= DIGITS) {
    pass(times, min, scale, order, other, starts)
    const swap = order
    order = other
    other = swap
  }
  return order
}

function pass(
  times: Float64Array,
  min: number,
  scale: number,
  from: Uint32Array,
  to: Uint32Array,
  starts: Uint32Array,
): void {
  const count = from.length
  const inverse = 1 / scale
  starts.fill(0)
  for (let i = 0; i < count; i++) {
    const digit = Math.floor((times[i]! - min) * inverse) % DIGITS
    starts[digit]!++
  }
  let start = 0
  for (let digit = 0; digit < DIGITS; digit++) {
    const length = starts[digit]!
    starts[digit] = start
    start += length
  }
  for (let k = 0; k < count; k++) {
    const i = from[k]!
    const digit = Math.floor((times[i]! - min) * inverse) % DIGITS
    to[starts[digit]!++] = i
  }
}
