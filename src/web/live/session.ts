import type {
  Anomalies,
  ClientMessage,
  Readings,
  ServerMessage,
  Subscribe,
  Windows,
} from '../../api/contract/live.ts'
import type { Static } from 'typebox'

/**
 * What is subscribed to over one connection after another. It knows the messages and keeps each
 * subscription's newest token; it does not know sockets or time.
 */

export type Wish = Omit<Subscribe, 'type' | 'id' | 'token'>
export type ItemsMessage =
  Static<typeof Readings> | Static<typeof Windows> | Static<typeof Anomalies>

export interface Listener {
  items(message: ItemsMessage): void
  /**
   * The feed begins here: what was before must be asked for by REST. It comes once for a new
   * subscription, and again where the feed could not go on from the token.
   */
  began(reason: string | undefined): void
  /** The feed went on from where it was cut: nothing is missing. */
  resumed?(): void
  /** The subscription was refused, and why. */
  refused?(message: string): void
}

interface Subscription {
  readonly id: string
  readonly wish: Wish
  readonly listener: Listener
  token: string | undefined
  /** Why the token did not hold, from `resync` until `subscribed`. */
  resync: string | undefined
}

export class LiveSession {
  private readonly send: (message: ClientMessage) => void
  private readonly subscriptions = new Map<string, Subscription>()
  private isOpen = false
  private last = 0

  constructor(send: (message: ClientMessage) => void) {
    this.send = send
  }

  get size(): number {
    return this.subscriptions.size
  }

  /** Answers what ends the subscription. */
  subscribe(wish: Wish, listener: Listener): () => void {
    const id = `${wish.topic}-${++this.last}`
    const subscription = { id, wish, listener, token: undefined, resync: undefined }
    this.subscriptions.set(id, subscription)
    if (this.isOpen) this.ask(subscription)
    return () => {
      if (!this.subscriptions.delete(id)) return
      if (this.isOpen) this.send({ type: 'unsubscribe', id })
    }
  }

  /** The connection has gone; subscriptions and their tokens stay. */
  closed(): void {
    this.isOpen = false
  }

  take(message: ServerMessage): void {
    if (message.type === 'hello') {
      this.isOpen = true
      for (const subscription of this.subscriptions.values()) this.ask(subscription)
      return
    }
    const id = 'id' in message ? message.id : undefined
    const subscription = id === undefined ? undefined : this.subscriptions.get(id)
    // What was on its way when it was unsubscribed from is nobody's.
    if (subscription !== undefined) this.tell(subscription, message)
  }

  private ask({ id, wish, token }: Subscription): void {
    this.send({ type: 'subscribe', id, ...wish, ...(token === undefined ? {} : { token }) })
  }

  private tell(subscription: Subscription, message: ServerMessage): void {
    const { listener } = subscription
    switch (message.type) {
      case 'resync':
        subscription.resync = message.reason
        break
      case 'subscribed':
        subscription.token = message.token
        if (message.resumed) listener.resumed?.()
        else listener.began(subscription.resync)
        subscription.resync = undefined
        break
      case 'readings':
      case 'windows':
      case 'anomalies':
        // First the items: a token must never be ahead of what was taken.
        listener.items(message)
        subscription.token = message.token ?? subscription.token
        break
      case 'error':
        listener.refused?.(message.message)
        break
      default:
    }
  }
}
