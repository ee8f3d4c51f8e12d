/**
 * Median and median absolute deviation of some values that lie in a part of a shared array,
 * without a sort: beside the values lies their order, which is kept as they change.
 *
 * - place: where a value lies, from 0 on.
 * - order: the places by ascending values; equal values in any order.
 *
 * A change costs a walk of the order, the median one look, the MAD a binary search. The result is
 * that of a sort, to the bit but for the sign of a zero. Either no value is NaN or all are: then so
 * are the results.
 */
export class RankedValues {
  private values: Float64Array = new Float64Array(0)
  private order: Uint8Array | Uint16Array = new Uint8Array(0)
  private valuesAt = 0
  private orderAt = 0
  private count = 0

  /** Looks at `count` values from `valuesAt` on; their order lies from `orderAt` on. */
  look(
    values: Float64Array,
    valuesAt: number,
    order: Uint8Array | Uint16Array,
    orderAt: number,
    count: number,
  ): void {
    this.values = values
    this.valuesAt = valuesAt
    this.order = order
    this.orderAt = orderAt
    this.count = count
  }

  /** Adds a value at the place behind all others. */
  add(value: number): void {
    const place = this.count++
    this.order[this.orderAt + place] = place
    this.put(place, place, value)
  }

  /** Puts a value in the place of another. */
  replace(place: number, value: number): void {
    const { order, orderAt } = this
    let rank = 0
    while (order[orderAt + rank] !== place) rank++
    this.put(rank, place, value)
  }

  /** `rank`: where the place is in the order so far. */
  private put(rank: number, place: number, value: number): void {
    const { values, valuesAt, order, orderAt } = this
    let at = orderAt + rank
    for (; at > orderAt && values[valuesAt + order[at - 1]!]! > value; at--) {
      order[at] = order[at - 1]!
    }
    const last = orderAt + this.count - 1
    for (; at < last && values[valuesAt + order[at + 1]!]! < value; at++) {
      order[at] = order[at + 1]!
    }
    order[at] = place
    values[valuesAt + place] = value
  }

  private ranked(rank: number): number {
    return this.values[this.valuesAt + this.order[this.orderAt + rank]!]!
  }

  /** An even count gives the mean of the two middle values. */
  median(): number {
    const half = this.count >> 1
    const upper = this.ranked(half)
    return this.count % 2 === 1 ? upper : (this.ranked(half - 1) + upper) / 2
  }

  /**
   * The unscaled MAD about the median. To both sides of it distances ascend, so that they are two
   * sorted lists: `below` of the smallest half of all come from the lower one.
   */
  mad(): number {
    const { count } = this
    const centre = this.median()
    const half = count >> 1
    const above = count - half
    let low = Math.max(0, half - above)
    let high = half
    while (low < high) {
      const below = (low + high) >> 1
      if (this.under(below, half, centre) < this.over(half - below - 1, half, centre)) {
        low = below + 1
      } else high = below
    }
    const below = low
    const rest = half - below
    const upper = Math.min(
      below < half ? this.under(below, half, centre) : Infinity,
      rest < above ? this.over(rest, half, centre) : Infinity,
    )
    if (count % 2 === 1) return upper
    const lower = Math.max(
      below > 0 ? this.under(below - 1, half, centre) : -Infinity,
      rest > 0 ? this.over(rest - 1, half, centre) : -Infinity,
    )
    return (lower + upper) / 2
  }

  /** The distance of the `i`th value under the middle, from the middle down. */
  private under(i: number, half: number, centre: number): number {
    return Math.abs(this.ranked(half - 1 - i) - centre)
  }

  /** ... and from the middle up. */
  private over(i: number, half: number, centre: number): number {
    return Math.abs(this.ranked(half + i) - centre)
  }
}
