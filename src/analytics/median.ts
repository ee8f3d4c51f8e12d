/**
 * Median and median absolute deviation without a full sort (Hoare's quickselect, 1961). The first
 * `count` values are put into another order. An even count gives the mean of the two middle values.
 */
export function medianInPlace(values: Float64Array, count: number): number {
  const half = count >> 1
  const upper = select(values, count, half)
  if (count % 2 === 1) return upper
  // What is left of the chosen place is not above it: the lower middle value is the largest there.
  let lower = values[0]!
  for (let i = 1; i < half; i++) if (values[i]! > lower) lower = values[i]!
  return (lower + upper) / 2
}

/** The unscaled MAD about `centre`; overwrites the values with their distances. */
export function madInPlace(values: Float64Array, count: number, centre: number): number {
  for (let i = 0; i < count; i++) values[i] = Math.abs(values[i]! - centre)
  return medianInPlace(values, count)
}

/** Puts the value that a sort would put at `k` there, and answers it. */
function select(values: Float64Array, count: number, k: number): number {
  let left = 0
  let right = count - 1
  while (left < right) {
    const pivot = medianOfThree(values[left]!, values[(left + right) >> 1]!, values[right]!)
    let i = left
    let j = right
    while (i <= j) {
      while (values[i]! < pivot) i++
      while (values[j]! > pivot) j--
      if (i <= j) {
        const value = values[i]!
        values[i++] = values[j]!
        values[j--] = value
      }
    }
    if (k <= j) right = j
    else if (k >= i) left = i
    else break
  }
  return values[k]!
}

function medianOfThree(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c))
}
