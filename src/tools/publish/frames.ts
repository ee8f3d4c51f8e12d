import { generate } from 'mqtt-packet'

/**
 * The few frames of MQTT 3.1.1 that a publisher needs. PUBLISH is made by hand, since it is the hot
 * one:
 *
 *     0011 D01R | remaining length, 1..4 bytes | topic length, 2 | topic | packet id, 2 | payload
 */

export interface ConnectOptions {
  readonly clientId: string
  readonly keepaliveSeconds: number
  readonly credentials: Credentials | undefined
}

export interface Credentials {
  readonly username: string
  readonly password: string
}

/** A clean session: what is not acknowledged is kept here, not there, and sent again from here. */
export function connectFrame(options: ConnectOptions): Buffer {
  const { credentials } = options
  return generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: true,
    clientId: options.clientId,
    keepalive: options.keepaliveSeconds,
    ...(credentials && {
      username: credentials.username,
      password: Buffer.from(credentials.password),
    }),
  })
}

export const PING_FRAME = Buffer.from([0xc0, 0])
export const DISCONNECT_FRAME = Buffer.from([0xe0, 0])

/** The most bytes that `writePublish` adds to topic and payload. */
export const PUBLISH_OVERHEAD_BYTES = 1 + 4 + 2 + 2

const QOS_1 = 0x32
const DUP = 0x08

export function bytesOf(text: string | Uint8Array): number {
  return typeof text === 'string' ? Buffer.byteLength(text) : text.length
}

/**
 * Writes one QoS 1 PUBLISH at `offset`, which must have room for it. @returns The offset after it.
 */
export function writePublish(
  target: Buffer,
  offset: number,
  publish: { topic: string; payload: string | Uint8Array; packetId: number; again: boolean },
): number {
  const { topic, payload, packetId } = publish
  const topicBytes = Buffer.byteLength(topic)
  let at = offset
  target[at++] = publish.again ? QOS_1 | DUP : QOS_1
  let length = 2 + topicBytes + 2 + bytesOf(payload)
  while (length > 127) {
    target[at++] = (length & 127) | 128
    length >>>= 7
  }
  target[at++] = length
  target[at++] = topicBytes >>> 8
  target[at++] = topicBytes & 255
  at += target.write(topic, at)
  target[at++] = packetId >>> 8
  target[at++] = packetId & 255
  if (typeof payload === 'string') return at + target.write(payload, at)
  target.set(payload, at)
  return at + payload.length
}

export interface FrameListener {
  connack(code: number): void
  puback(packetId: number): void
  /** Anything else: a broker sends a publisher no more than these and PINGRESP. */
  unexpected(type: number): void
}

const CONNACK = 2
const PUBACK = 4
const PINGRESP = 13
/** All frames that may come have this length, but for PINGRESP with two bytes. */
const ANSWER_BYTES = 4

/**
 * Reads frames out of chunks as they come from a socket, a frame cut in two included.
 *
 * @returns A function that takes the next chunk.
 */
export function frameReader(listener: FrameListener): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    while (at + 2 <= bytes.length) {
      const type = bytes[at]! >>> 4
      const length = bytes[at + 1]!
      if (type === PINGRESP && length === 0) {
        at += 2
        continue
      }
      if ((type !== PUBACK && type !== CONNACK) || length !== 2) {
        listener.unexpected(type)
        rest = Buffer.alloc(0)
        return
      }
      if (at + ANSWER_BYTES > bytes.length) break
      const high = bytes[at + 2]!
      const low = bytes[at + 3]!
      if (type === PUBACK) listener.puback((high << 8) | low)
      else listener.connack(low)
      at += ANSWER_BYTES
    }
    rest = bytes.subarray(at)
  }
}
