import { createHmac, timingSafeEqual } from 'node:crypto'
import { decodePlace, encodePlace, type TopicPlace } from './position.ts'

const SIGNATURE_BYTES = 16

/**
 * Resume tokens: a place and its HMAC-SHA256, cut to 128 bits, in base64url. The signature binds
 * what a client sends back to what some api process with the same secret has said; what is inside
 * is no secret.
 */
export class Tokens {
  private readonly secret: string

  constructor(secret: string) {
    this.secret = secret
  }

  issue(place: TopicPlace): string {
    const body = encodePlace(place)
    return Buffer.concat([this.sign(body), body]).toString('base64url')
  }

  /** Undefined where it is none of ours. */
  read(token: string): TopicPlace | undefined {
    const bytes = Buffer.from(token, 'base64url')
    if (bytes.length <= SIGNATURE_BYTES) return undefined
    const body = bytes.subarray(SIGNATURE_BYTES)
    if (!timingSafeEqual(bytes.subarray(0, SIGNATURE_BYTES), this.sign(body))) return undefined
    return decodePlace(body)
  }

  private sign(body: Buffer): Buffer {
    return createHmac('sha256', this.secret).update(body).digest().subarray(0, SIGNATURE_BYTES)
  }
}
