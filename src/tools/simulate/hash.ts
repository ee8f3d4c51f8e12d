/**
 * Numbers that look random and are a function of what they are asked for: so any value of the fleet
 * can be computed again alone, in any order, from the seed.
 */

/** What a number is for; keeps the answers to different questions apart. */
export const PURPOSE = Object.freeze({
  kind: 1,
  scale: 2,
  phase: 3,
  registerBase: 4,
  rollover: 5,
  dayFactor: 6,
  quarter: 7,
  minute: 8,
  kettle: 9,
  washing: 10,
  ev: 11,
  evDay: 12,
  evStart: 13,
  voltage: 14,
  temperature: 15,
  clouds: 16,
  /** Faults take this and the numbers after it, eight each. */
  faults: 64,
})

/** 32 bits out of four numbers, mixed as MurmurHash3 does. */
export function hash32(seed: number, purpose: number, a: number, b: number): number {
  let h = mix(seed ^ 0x9e3779b9, purpose)
  h = mix(h, a)
  h = mix(h, b)
  h ^= h >>> 16
  h = Math.imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** Evenly in [0, 1). */
export function unit(seed: number, purpose: number, a: number, b: number): number {
  return hash32(seed, purpose, a, b) / 4_294_967_296
}

function mix(h: number, value: number): number {
  let k = Math.imul(value | 0, 0xcc9e2d51)
  k = (k << 15) | (k >>> 17)
  const mixed = h ^ Math.imul(k, 0x1b873593)
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0
}

/**
 * A smooth curve through values at whole `x`: evenly spread in [-1, 1] there, cosine in between.
 */
export function wave(seed: number, purpose: number, a: number, x: number): number {
  const left = Math.floor(x)
  const share = (1 - Math.cos((x - left) * Math.PI)) / 2
  const from = unit(seed, purpose, a, left)
  const to = unit(seed, purpose, a, left + 1)
  return 2 * (from + (to - from) * share) - 1
}
