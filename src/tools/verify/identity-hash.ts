/**
 * An identity (tenant, meterId, channel, at) as 64 bits, so that tens of millions of them fit into
 * memory.
 *
 * Two lanes of MurmurHash3's rounds that feed each other, as in its 128-bit form. Two of n
 * different identities share a hash with odds of about n^2 / 2^65: one in 370,000 for ten million,
 * one in 15,000 for fifty. Then one missing row could hide behind another one.
 */
export class IdentityHash {
  /** The hash of what was taken in since `begin`; set by `end`. */
  high = 0
  low = 0
  private a = 0
  private b = 0
  private keptA = 0
  private keptB = 0

  begin(): void {
    this.a = 0x9e3779b9
    this.b = 0x243f6a88
  }

  /** Remembers what was taken in so far; `back` returns to it. */
  keep(): void {
    this.keptA = this.a
    this.keptB = this.b
  }

  back(): void {
    this.a = this.keptA
    this.b = this.keptB
  }

  /** Takes in a text and its length, so that no two texts run together. */
  text(bytes: Uint8Array, start: number, end: number): void {
    let at = start
    for (; at + 4 <= end; at += 4) {
      this.round(
        bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24),
      )
    }
    let rest = 0
    for (let shift = 0; at < end; at++, shift += 8) rest |= bytes[at]! << shift
    this.round(rest)
    this.round(end - start)
  }

  /** Takes in the time, a whole number, and makes the hash ready. */
  end(at: number): void {
    this.round(at | 0)
    this.round(Math.floor(at / 2 ** 32) | 0)
    let { a, b } = this
    a = (a + b) | 0
    b = (b + a) | 0
    a = finish(a)
    b = finish(b)
    a = (a + b) | 0
    b = (b + a) | 0
    this.high = a >>> 0
    this.low = b >>> 0
  }

  private round(k: number): void {
    let { a, b } = this
    const ka = Math.imul(k, 0x239b961b)
    a ^= Math.imul((ka << 15) | (ka >>> 17), 0xab0e9789 | 0)
    a = (a << 19) | (a >>> 13)
    a = (a + b) | 0
    a = (Math.imul(a, 5) + 0x561ccd1b) | 0
    const kb = Math.imul(k, 0x38b34ae5)
    b ^= Math.imul((kb << 16) | (kb >>> 16), 0xa1e38b93 | 0)
    b = (b << 17) | (b >>> 15)
    b = (b + a) | 0
    b = (Math.imul(b, 5) + 0x0bcaa747) | 0
    this.a = a
    this.b = b
  }
}

function finish(h: number): number {
  let x = h
  x ^= x >>> 16
  x = Math.imul(x, 0x85ebca6b)
  x ^= x >>> 13
  x = Math.imul(x, 0xc2b2ae35)
  return x ^ (x >>> 16)
}
