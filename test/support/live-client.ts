import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import type { ServerMessage, Subscribe } from '../../src/api/contract/live.ts'

/** A client of the live feed that keeps what it is told. */
export class LiveClient {
  readonly messages: ServerMessage[] = []
  closed: { code: number; reason: string } | undefined
  readonly ws: WebSocket
  private token = new Map<string, string>()

  private constructor(ws: WebSocket) {
    this.ws = ws
    ws.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString('utf8')) as ServerMessage
      this.messages.push(message)
      if ('token' in message && 'id' in message) {
        this.token.set(message.id, message.token)
      }
    })
    ws.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString('utf8') }
    })
  }

  static async open(apiUrl: string): Promise<LiveClient> {
    const ws = new WebSocket(`${apiUrl.replace('http', 'ws')}/api/live`)
    const client = new LiveClient(ws)
    await new Promise((resolve, reject) => {
      ws.once('open', resolve)
      ws.once('error', reject)
    })
    await client.heard('hello')
    return client
  }

  say(message: object | string): void {
    this.ws.send(typeof message === 'string' ? message : JSON.stringify(message))
  }

  async subscribe(message: Omit<Subscribe, 'type'>): Promise<boolean> {
    this.say({ type: 'subscribe', ...message })
    const said = await this.until(`${message.id} subscribed`, () =>
      this.messages.find((one) => one.type === 'subscribed' && one.id === message.id),
    )
    return said.type === 'subscribed' && said.resumed
  }

  /** The newest token of a subscription. */
  tokenOf(id: string): string {
    return this.token.get(id)!
  }

  /** The items of a subscription so far, in the order in which they came. */
  items<T = Record<string, unknown>>(id: string): T[] {
    return this.messages.flatMap((one) =>
      'items' in one && one.id === id ? (one.items as T[]) : [],
    )
  }

  heard(type: ServerMessage['type']): Promise<ServerMessage> {
    return this.until(type, () => this.messages.find((one) => one.type === type))
  }

  async until<T>(what: string, look: () => T | undefined | false, limitMs = 20_000): Promise<T> {
    const deadlineMs = performance.now() + limitMs
    for (;;) {
      const found = look()
      if (found !== undefined && found !== false) return found
      if (performance.now() > deadlineMs) {
        const last = JSON.stringify(this.messages.slice(-3)).slice(0, 1_000)
        throw new Error(`waited in vain for ${what}; the last messages: ${last}`)
      }
      await sleep(20)
    }
  }

  /** Cut as by a broken line: no close frame. */
  cut(): void {
    this.ws.terminate()
  }
}
