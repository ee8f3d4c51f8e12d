import type { Socket } from 'node:net'
import type { WebSocket } from '@fastify/websocket'
import { LIMITS } from '../../kernel/limits.ts'
import { CLOSE_CODES } from '../contract/live.ts'

/** A frame's payload: a text, or one that many connections share, encoded once. */
export type Frame = string | Buffer

/**
 * One client's socket. Nothing waits without bound: what the socket does not take is held back up
 * to a limit, and a client that takes nothing for some seconds, or comes to the limit, is closed
 * with the reason. It still has the token of the last message that it read.
 */
export class Connection {
  isOpen = true
  /** Called once, when it is closed by whomever. */
  onClosed: (() => void) | undefined
  private readonly ws: WebSocket
  private readonly socket: Socket
  private held: Frame[] = []
  private heldBytes = 0
  private takenBytes = 0
  private progressAtMs: number
  private heardAtMs: number

  constructor(ws: WebSocket, socket: Socket, nowMs: number) {
    this.ws = ws
    this.socket = socket
    this.progressAtMs = nowMs
    this.heardAtMs = nowMs
    ws.on('close', () => this.closed())
    // What follows an error is its close.
    ws.on('error', () => undefined)
    ws.on('pong', () => this.heard())
  }

  /** Whether the socket takes more: what is conflated waits until it does. */
  get canTake(): boolean {
    return this.heldBytes === 0 && this.ws.bufferedAmount < LIMITS.liveSocketBytesMax
  }

  send(frame: Frame): void {
    if (!this.isOpen) return
    if (this.canTake) {
      this.ws.send(frame, { binary: false })
      return
    }
    this.held.push(frame)
    this.heldBytes += frame.length
    if (this.heldBytes > LIMITS.liveHeldBytesMax) this.closeSlow()
  }

  /** Sends what was held back, as far as the socket takes it. */
  release(): void {
    let sent = 0
    while (sent < this.held.length && this.ws.bufferedAmount < LIMITS.liveSocketBytesMax) {
      const frame = this.held[sent++]!
      this.heldBytes -= frame.length
      this.ws.send(frame, { binary: false })
    }
    if (sent > 0) this.held = this.held.slice(sent)
  }

  heard(): void {
    this.heardAtMs = performance.now()
  }

  /** Once a second. */
  check(nowMs: number): void {
    const taken = this.socket.bytesWritten - this.socket.writableLength
    const isIdle = this.ws.bufferedAmount === 0 && this.heldBytes === 0
    if (taken !== this.takenBytes || isIdle) {
      this.takenBytes = taken
      this.progressAtMs = nowMs
    }
    if (nowMs - this.progressAtMs > LIMITS.liveStallMsMax) this.closeSlow()
    else if (nowMs - this.heardAtMs > 2 * LIMITS.livePingEveryMs) {
      this.close(CLOSE_CODES.silent, 'no answer to pings')
    }
  }

  ping(): void {
    if (this.isOpen && this.canTake) this.ws.ping()
  }

  closeSlow(): void {
    this.close(CLOSE_CODES.slowReader, 'slow reader: resume with the token of the last message')
  }

  close(code: number, reason: string): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.closedAs = code
    this.held = []
    this.heldBytes = 0
    this.ws.close(code, reason)
    // Who does not read does not answer the close frame either.
    setTimeout(() => this.ws.terminate(), LIMITS.liveCloseMs).unref()
    this.onClosed?.()
  }

  /** The code that the server closed it with; 0 where the client went. */
  closedAs = 0

  private closed(): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.held = []
    this.onClosed?.()
  }
}
