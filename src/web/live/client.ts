import { signal } from '@preact/signals'
import type { ServerMessage } from '../../api/contract/live.ts'
import { backoffMs } from './backoff.ts'
import { LiveSession } from './session.ts'
import { type LiveStatus, STALE_AFTER_MS, statusOf } from './status.ts'

/** The page's one connection to the live feed. */

/** The server cannot be seen to ping from here, so the page asks for itself. */
const PING_EVERY_MS = 15_000
const PONG_WITHIN_MS = 8_000

export const liveStatus = signal<LiveStatus>('connecting')
/** When the last message came, ms since 1970; 0 before the first. */
export const liveHeardMs = signal(0)

class LiveClient {
  readonly session = new LiveSession((message) => {
    this.socket?.send(JSON.stringify(message))
  })
  private socket: WebSocket | undefined
  private attempt = 0
  private retry: ReturnType<typeof setTimeout> | undefined
  private pinger: ReturnType<typeof setInterval> | undefined
  private staleCheck: ReturnType<typeof setTimeout> | undefined
  private isOpen = false
  private wasOpen = false
  private sinceMs = Date.now()

  start(): void {
    this.connect()
    this.show()
    // Somebody who comes back to the page does not wait for the next attempt.
    const again = () => {
      if (!this.isOpen && this.retry !== undefined && !document.hidden) this.connect()
    }
    addEventListener('online', again)
    document.addEventListener('visibilitychange', again)
  }

  private connect(): void {
    clearTimeout(this.retry)
    this.retry = undefined
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
    const socket = new WebSocket(`${scheme}://${location.host}/api/live`)
    this.socket = socket
    socket.onmessage = ({ data }) => this.heard(JSON.parse(String(data)) as ServerMessage)
    socket.onclose = () => this.lost(socket)
  }

  private heard(message: ServerMessage): void {
    liveHeardMs.value = Date.now()
    if (message.type === 'hello') {
      this.attempt = 0
      this.isOpen = this.wasOpen = true
      this.pinger = setInterval(() => this.ping(), PING_EVERY_MS)
      this.show()
    }
    this.session.take(message)
  }

  /** A connection that is cut on its way says nothing: it is closed where no answer comes. */
  private ping(): void {
    const { socket } = this
    if (socket?.readyState !== WebSocket.OPEN) return
    const askedMs = Date.now()
    socket.send('{"type":"ping"}')
    setTimeout(() => {
      if (this.socket === socket && liveHeardMs.value < askedMs) this.lost(socket)
    }, PONG_WITHIN_MS)
  }

  private lost(socket: WebSocket): void {
    if (this.socket !== socket) return
    socket.onclose = socket.onmessage = null
    socket.close()
    this.socket = undefined
    clearInterval(this.pinger)
    this.session.closed()
    if (this.isOpen) this.sinceMs = Date.now()
    this.isOpen = false
    this.retry = setTimeout(() => this.connect(), backoffMs(this.attempt++, Math.random()))
    this.show()
  }

  private show(): void {
    const { isOpen, wasOpen, sinceMs } = this
    clearTimeout(this.staleCheck)
    liveStatus.value = statusOf({ isOpen, wasOpen, sinceMs }, Date.now())
    if (isOpen) return
    const leftMs = sinceMs + STALE_AFTER_MS - Date.now()
    if (leftMs > 0) this.staleCheck = setTimeout(() => this.show(), leftMs + 1)
  }
}

const client = new LiveClient()

export const startLive = () => client.start()
export const live = client.session
