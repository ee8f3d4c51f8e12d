/**
 * Sums whose value does not depend on the order in which their terms came, and from which a term
 * can be taken away again: a term is cut into whole parts, into parts of 2^-32 and of 2^-64, and
 * each kind is summed as whole numbers.
 *
 * Exact for terms whose magnitude is 0 or at least 2^-11 (smaller ones are cut at 2^-64), while the
 * whole parts' magnitudes sum up to less than 2^53, and there are at most two million terms.
 */
const SCALE = 2 ** 32

/** Three numbers that somebody keeps: whole parts, parts of 2^-32, parts of 2^-64. */
export interface Limbs {
  get(limb: number): number
  set(limb: number, value: number): void
}

/** Adds a term, or takes it away (`sign` -1). */
export function addTerm(limbs: Limbs, term: number, sign: 1 | -1): void {
  const whole = Math.trunc(term)
  const rest = (term - whole) * SCALE
  const high = Math.trunc(rest)
  const low = Math.trunc((rest - high) * SCALE)
  limbs.set(0, limbs.get(0) + sign * whole)
  limbs.set(1, limbs.get(1) + sign * high)
  limbs.set(2, limbs.get(2) + sign * low)
}

export function sumOf(limbs: Limbs): number {
  return (limbs.get(2) / SCALE + limbs.get(1)) / SCALE + limbs.get(0)
}
