import { LIMITS } from '../kernel/limits.ts'
import { bridgeErrors } from './errors.ts'

/** PUBACK, PUBREC, PUBREL and PUBCOMP: a packet identifier and nothing else. */
const [FIRST_ACK, LAST_ACK] = [4, 7]
const ACK_BYTES = 2

/**
 * Looks at the length of each frame before the parser does: neither aedes nor mqtt-packet limits
 * it, and both would gather 256 MiB of one frame in memory. Nor do they look whether an
 * acknowledgement names its packet: one that does not would be answered by half a packet.
 *
 *     frame = type and flags, 1 byte | remaining length, 1 to 4 bytes of 7 bits, low first | the
 *     rest
 */
export class FrameGuard {
  private readonly bytesMax: number
  /** Bytes of the present frame that are still to come; -1 while its length is not known. */
  private missing = -1
  /** Bytes of the present frame's header that have come. */
  private headerBytes = 0
  private type = 0
  private length = 0
  private scale = 1
  private begun = 0

  constructor(bytesMax: number = LIMITS.payloadBytesMax) {
    this.bytesMax = bytesMax
  }

  /** Bytes that have come of a frame that has not ended: what the parser keeps. */
  get partialBytes(): number {
    return this.begun
  }

  /**
   * Takes what came next.
   *
   * @returns The error for which the connection must be closed: bridge.frameTooLong,
   *   bridge.badFrame.
   */
  take(chunk: Uint8Array): Error | undefined {
    let at = 0
    while (at < chunk.length) {
      if (this.missing < 0) {
        const error = this.header(chunk[at]!)
        at += 1
        if (error !== undefined) return error
        if (this.missing > 0) continue
      } else {
        const taken = Math.min(this.missing, chunk.length - at)
        this.missing -= taken
        this.begun += taken
        at += taken
      }
      if (this.missing === 0) this.reset()
    }
    return undefined
  }

  private header(byte: number): Error | undefined {
    this.headerBytes += 1
    this.begun += 1
    if (this.headerBytes === 1) {
      this.type = byte >> 4
      return undefined
    }
    this.length += (byte & 127) * this.scale
    this.scale *= 128
    if (byte < 128) {
      const { length, bytesMax: max } = this
      if (length > max) return bridgeErrors.frameTooLong({ length, max })
      const isAck = this.type >= FIRST_ACK && this.type <= LAST_ACK
      if (isAck && length !== ACK_BYTES) {
        const detail = `an acknowledgement (${this.type}) has ${ACK_BYTES} bytes, not ${length}`
        return bridgeErrors.badFrame({ detail })
      }
      this.missing = length
    } else if (this.headerBytes === 5) {
      return bridgeErrors.badFrame({ detail: 'its length takes more than four bytes' })
    }
    return undefined
  }

  private reset(): void {
    this.missing = -1
    this.headerBytes = 0
    this.length = 0
    this.scale = 1
    this.begun = 0
  }
}
