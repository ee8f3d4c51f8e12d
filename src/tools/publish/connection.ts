import { type Socket, connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { LIMITS } from '../../kernel/limits.ts'
import { publishErrors } from './errors.ts'
import {
  type Credentials,
  DISCONNECT_FRAME,
  PING_FRAME,
  PUBLISH_OVERHEAD_BYTES,
  bytesOf,
  connectFrame,
  frameReader,
  writePublish,
} from './frames.ts'
import { Window } from './window.ts'

export type OnAck = (topic: string, payload: string | Uint8Array, tag: unknown) => void

export interface ConnectionOptions {
  readonly url: URL
  readonly clientId: string
  readonly credentials: Credentials | undefined
  readonly window: number
  readonly onAck: OnAck | undefined
  /** A CONNACK has come, or acknowledgements have: there may be room again. */
  readonly onRoom: () => void
  readonly onDown: (why: string) => void
  /** The broker says that it will never have us. */
  readonly onRefused: (error: Error) => void
}

/** Reasons of a CONNACK, by its code. 3, `server unavailable`, is the one that may pass. */
const CONNACK_REASONS = [
  'accepted',
  'its version of the protocol',
  'the client id',
  'server unavailable',
  'the user name or password',
  'not authorised',
]
const CONNACK_UNAVAILABLE = 3

/** One encoder's paper for all connections: each copies what it has written before it lets go. */
const scratch = Buffer.allocUnsafeSlow(LIMITS.publisherChunkBytes + LIMITS.payloadBytesMax)

/**
 * One MQTT connection that publishes at QoS 1, comes back by itself when it is cut, and sends again
 * what was not acknowledged. Order on a connection is kept.
 */
export class Connection {
  acknowledged = 0
  resent = 0
  cuts = 0
  isUp = false
  readonly #options: ConnectionOptions
  readonly #window: Window
  #socket: Socket | undefined
  #retry: NodeJS.Timeout | undefined
  #keepalive: NodeJS.Timeout | undefined
  #failuresInRow = 0
  #heardAtMs = 0
  #isClosed = false

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#window = new Window(options.window, LIMITS.publisherWindowBytes)
  }

  get isFull(): boolean {
    return this.#window.isFull
  }

  get inFlight(): number {
    return this.#window.length
  }

  /** Takes a publish, which goes out by the next `flush`. Not to be called while `isFull`. */
  add(topic: string, payload: string | Uint8Array, tag: unknown): void {
    const bytes = bytesOf(topic) + bytesOf(payload) + PUBLISH_OVERHEAD_BYTES
    const bytesMax = LIMITS.payloadBytesMax
    if (bytes > bytesMax) throw publishErrors.tooLong({ topic, bytes, bytesMax })
    this.#window.add(topic, payload, tag, bytes)
  }

  open(): void {
    const { url } = this.#options
    const port = Number(url.port || (url.protocol === 'mqtts:' ? 8883 : 1883))
    const host = url.hostname.replace(/^\[|\]$/g, '')
    const secure = url.protocol === 'mqtts:'
    const socket = secure
      ? connectTls({ host, port, servername: host })
      : connectTcp({ host, port, noDelay: true })
    this.#socket = socket
    socket.setTimeout(LIMITS.publisherConnectMsMax, () => socket.destroy(new Error('no answer')))
    socket.on(secure ? 'secureConnect' : 'connect', () => socket.write(this.#connectFrame()))
    socket.on('data', this.#reader(socket))
    socket.on('drain', () => {
      this.flush()
    })
    let why = 'closed by the other side'
    socket.on('error', (error: NodeJS.ErrnoException) => {
      why = error.code ?? error.message
    })
    socket.on('close', () => {
      if (socket === this.#socket) this.#down(why)
    })
  }

  /** Writes out what fits into the socket; the rest follows when it drains. */
  flush(): void {
    const socket = this.#socket
    if (!this.isUp || socket === undefined) return
    while (!socket.writableNeedDrain) {
      let end = 0
      this.resent += this.#window.send((publish) => {
        if (end >= LIMITS.publisherChunkBytes) return false
        end = writePublish(scratch, end, publish)
        return true
      })
      if (end === 0) return
      socket.write(Buffer.from(scratch.subarray(0, end)))
    }
  }

  /** Says good-bye. What was not acknowledged is given up; `inFlight` tells how much. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#retry)
    clearInterval(this.#keepalive)
    const socket = this.#socket
    if (socket === undefined || socket.closed) return
    const closed = new Promise((resolve) => socket.once('close', resolve))
    if (this.isUp) {
      this.isUp = false
      socket.end(DISCONNECT_FRAME)
      // A peer that does not close its half must not keep us.
      socket.setTimeout(LIMITS.publisherCloseMsMax, () => socket.destroy())
    } else if (!socket.writableEnded) {
      socket.destroy()
    }
    await closed
  }

  #connectFrame(): Buffer {
    const { clientId, credentials } = this.#options
    return connectFrame({
      clientId,
      credentials,
      keepaliveSeconds: LIMITS.publisherKeepaliveSeconds,
    })
  }

  #reader(socket: Socket): (chunk: Buffer) => void {
    const { onAck } = this.#options
    const read = frameReader({
      connack: (code) => this.#connack(socket, code),
      puback: (packetId) => {
        if (this.#window.acknowledge(packetId, onAck)) this.acknowledged += 1
      },
      unexpected: (type) => socket.destroy(new Error(`a frame of type ${type}`)),
    })
    return (chunk) => {
      this.#heardAtMs = performance.now()
      const before = this.acknowledged
      read(chunk)
      if (this.acknowledged === before) return
      this.#failuresInRow = 0
      this.#options.onRoom()
    }
  }

  #connack(socket: Socket, code: number): void {
    if (code === 0) {
      socket.setTimeout(0)
      this.isUp = true
      this.#keepalive = setInterval(() => {
        this.#ping(socket)
      }, LIMITS.publisherKeepaliveSeconds * 500)
      this.flush()
      this.#options.onRoom()
      return
    }
    if (code === CONNACK_UNAVAILABLE) {
      socket.destroy(new Error('server unavailable'))
      return
    }
    const reason = CONNACK_REASONS[code] ?? 'no known reason'
    void this.close()
    this.#options.onRefused(publishErrors.refused({ url: this.#options.url.host, code, reason }))
  }

  /** A peer that has answered nothing for twice the keepalive is gone, whatever TCP believes. */
  #ping(socket: Socket): void {
    const silentMs = performance.now() - this.#heardAtMs
    if (silentMs > LIMITS.publisherKeepaliveSeconds * 2_000) socket.destroy(new Error('silent'))
    else socket.write(PING_FRAME)
  }

  #down(why: string): void {
    clearInterval(this.#keepalive)
    this.#window.rewind()
    this.isUp = false
    this.#socket = undefined
    if (this.#isClosed) return
    this.cuts += 1
    // Doubles up to the limit: a broker that is coming up is not to be stormed.
    const backOffMs = Math.min(
      LIMITS.publisherRetryMsMin * 2 ** this.#failuresInRow,
      LIMITS.publisherRetryMsMax,
    )
    this.#failuresInRow += 1
    this.#retry = setTimeout(() => {
      this.open()
    }, backOffMs)
    this.#options.onDown(why)
  }
}
