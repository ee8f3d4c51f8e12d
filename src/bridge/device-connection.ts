import { Socket } from 'node:net'
import { LIMITS } from '../kernel/limits.ts'
import { openPrincipal } from './auth.ts'
import { FrameGuard } from './frame-guard.ts'
import type { Gate, Waiter } from './gate.ts'
import type { Principal } from './inbound.ts'
import { hasCode } from '../kernel/errors.ts'
import type { BridgeMetrics, DisconnectReason } from './metrics.ts'
import { bridgeErrors } from './errors.ts'

/** What the connections of one listener share. */
export interface SharedByConnections {
  readonly gate: Gate
  readonly metrics: BridgeMetrics
  /** Bytes of frames that are begun and not ended, over all connections. */
  partialBytes: number
  /** A connection was ended by us, and why. */
  readonly onEnded: (connection: DeviceConnection, why: Error) => void
}

/**
 * One device's connection, between its socket and aedes. aedes takes what came by `read(null)`, and
 * works on all packets of one read at once; so here is the place to look at it first, and to leave
 * it where it is: what is not read fills the socket's buffer, then TCP's window, and then the
 * device waits.
 */
export class DeviceConnection implements Waiter {
  clientId = ''
  principal: Principal = openPrincipal
  /** 0: it may be silent for as long as it likes. */
  keepaliveMs = 0
  isClosed = false
  readonly socket: Socket
  private readonly shared: SharedByConnections
  private readonly guard = new FrameGuard()
  private inFlightBytes = 0
  /** What it waits for: room of its own, the gate, or that the device takes its answers. */
  private waitsFor: 'room' | 'gate' | 'drain' | undefined
  private waitsSinceMs = 0
  private heardAtMs = performance.now()

  constructor(socket: Socket, shared: SharedByConnections) {
    this.socket = socket
    this.shared = shared
    socket.read = (size) => this.read(size)
    socket.once('close', () => {
      this.isClosed = true
      shared.gate.forget(this)
      shared.partialBytes -= this.guard.partialBytes
    })
  }

  private read(size: number | undefined): Buffer | null {
    // A read of 0 bytes takes nothing: the stream asks itself for more by it.
    if (size !== 0 && this.mustWait()) return null
    const chunk = Socket.prototype.read.call(this.socket, size) as Buffer | null
    if (chunk === null) return null
    this.heardAtMs = performance.now()
    return this.isSound(chunk) ? chunk : null
  }

  private mustWait(): boolean {
    const { socket, shared } = this
    if (this.waitsFor === undefined) {
      if (socket.writableNeedDrain) {
        this.waitsFor = 'drain'
        this.waitsSinceMs = performance.now()
        socket.once('drain', () => this.wake())
      } else if (this.inFlightBytes >= LIMITS.bridgeConnectionBytesMax) {
        this.waitsFor = 'room'
      } else if (shared.gate.isShut) {
        this.waitsFor = 'gate'
        shared.gate.wait(this)
      }
    }
    return this.waitsFor !== undefined
  }

  /** Whether its TCP is left unread. */
  get isWaiting(): boolean {
    return this.waitsFor !== undefined
  }

  private isSound(chunk: Buffer): boolean {
    const { guard, shared } = this
    const before = guard.partialBytes
    const error = guard.take(chunk)
    shared.partialBytes += guard.partialBytes - before
    if (error !== undefined) {
      this.end(hasCode(error, 'bridge.frameTooLong') ? 'oversize' : 'malformed', error)
      return false
    }
    const max = LIMITS.bridgePartialBytesMax
    if (guard.partialBytes > 0 && shared.partialBytes > max) {
      this.end('overload', bridgeErrors.tooManyPartial({ bytes: shared.partialBytes, max }))
      return false
    }
    return true
  }

  /** A message of this connection is on its way to the log. */
  enter(bytes: number): void {
    this.inFlightBytes += bytes
  }

  leave(bytes: number): void {
    this.inFlightBytes -= bytes
    if (this.inFlightBytes === 0) this.heardAtMs = performance.now()
    // Half of the room, so that it is not woken for each message.
    const isRoomy = this.inFlightBytes <= LIMITS.bridgeConnectionBytesMax / 2
    if (this.waitsFor === 'room' && isRoomy) this.wake()
  }

  wake(): void {
    if (this.isClosed) return
    this.waitsFor = undefined
    this.heardAtMs = performance.now()
    // aedes reads when its socket says that there is something.
    this.socket.emit('readable')
  }

  /**
   * Ends it where it is silent. Its silence is ours while it waits, and while something of it is in
   * flight: aedes reads on when that is done.
   */
  checkKeepalive(nowMs: number): void {
    const { clientId, keepaliveMs } = this
    const waitedMs = nowMs - this.waitsSinceMs
    if (this.waitsFor === 'drain' && waitedMs > LIMITS.bridgeDrainMsMax) {
      this.end('keepalive', bridgeErrors.deaf({ clientId, seconds: Math.round(waitedMs / 1_000) }))
    }
    if (keepaliveMs === 0 || this.isWaiting || this.inFlightBytes > 0) return
    if (nowMs - this.heardAtMs <= keepaliveMs * 1.5) return
    this.end('keepalive', bridgeErrors.silent({ clientId, keepaliveMs }))
  }

  end(reason: DisconnectReason, why: Error): void {
    if (this.isClosed) return
    this.isClosed = true
    this.shared.metrics.disconnects[reason] += 1
    this.shared.onEnded(this, why)
    this.socket.destroy()
  }
}
