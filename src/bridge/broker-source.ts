import { type IClientOptions, type MqttClient, connect } from 'mqtt'
import { messageOf } from '../kernel/errors.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { Clock } from '../kernel/time.ts'
import { openPrincipal } from './auth.ts'
import { bridgeErrors } from './errors.ts'
import type { Intake } from './intake.ts'
import type { BridgeMetrics } from './metrics.ts'

/**
 * The second source: a broker that is there already, with MQTT 5.
 *
 * - shared subscription: `$share/GROUP/FILTER`; the broker gives each message to one member of the
 *   group, so that connections, and bridges, divide the work.
 * - session: what the broker keeps under our client id while we are away. Its messages wait there,
 *   and those that we have not acknowledged come again.
 *
 * A message is acknowledged when Kafka has it. mqtt.js has one message a connection under way,
 * hence the many connections. What the broker loses by itself nobody here can know: the promise is
 * the broker's.
 */
export interface BrokerSourceOptions {
  readonly url: string
  readonly filters: readonly string[]
  readonly group: string
  /** The client ids are this and a number: fixed over restarts, and of no other bridge. */
  readonly clientIdPrefix: string
  readonly intake: Intake
  readonly metrics: BridgeMetrics
  readonly clock: Clock
  readonly warn: (what: string) => void
  readonly connections?: number
}

export interface BrokerSource {
  /** Connections that have subscribed. */
  readonly connected: number
  /** Why messages do not come; undefined where they do. */
  readonly problem: string | undefined
  /** No new message is taken up; resolves when those under way are acknowledged or given up. */
  close(): Promise<void>
}

/** Opens the connections; they come by themselves, and come back by themselves. */
export function openBrokerSource(options: BrokerSourceOptions): BrokerSource {
  const count = options.connections ?? LIMITS.brokerConnections
  const members = Array.from({ length: count }, (_, i) => new Member(options, i))
  return {
    get connected() {
      return members.filter((member) => member.problem === undefined).length
    },
    get problem() {
      return members.find((member) => member.problem !== undefined)?.problem
    },
    async close() {
      await Promise.all(members.map((member) => member.close()))
    },
  }
}

class Member {
  problem: string | undefined = 'not connected yet'
  private readonly options: BrokerSourceOptions
  private readonly clientId: string
  private client: MqttClient
  private isClosed = false
  private underWay = 0
  private whenIdle: (() => void) | undefined
  private again: NodeJS.Timeout | undefined

  constructor(options: BrokerSourceOptions, index: number) {
    this.options = options
    this.clientId = `${options.clientIdPrefix}${index}`
    this.client = this.open()
  }

  private open(): MqttClient {
    const settings: IClientOptions = {
      protocolVersion: 5,
      clientId: this.clientId,
      clean: false,
      // We subscribe at each connection by ourselves, and see whether it is granted.
      resubscribe: false,
      reconnectPeriod: LIMITS.brokerRetryMs,
      properties: { sessionExpiryInterval: LIMITS.brokerSessionSeconds, receiveMaximum: 100 },
    }
    const client = connect(this.options.url, settings)
    client.on('connect', () => void this.subscribe(client))
    client.on('close', () => this.trouble(client, 'not connected'))
    client.on('error', (error) => this.trouble(client, messageOf(error)))
    client.handleMessage = (packet, acknowledge) => {
      // Once we close, or this client is given up, what comes stays the broker's.
      if (this.isClosed || client !== this.client) return
      this.options.metrics.publish('broker', packet.qos)
      this.underWay += 1
      this.options.intake.take(
        {
          source: 'broker',
          mqttTopic: packet.topic,
          // Who published it the broker does not tell.
          clientId: '',
          payload: Buffer.from(packet.payload),
          receivedAtMicros: this.options.clock.nowMicros(),
          principal: openPrincipal,
        },
        (error) => {
          // An error given to mqtt.js would leave out the PUBACK and go on to the next one, as if
          // the message were done: the broker sends it again only on a new connection.
          if (error === undefined) acknowledge()
          else this.reopen(client, `not stored: ${messageOf(error)}`)
          this.underWay -= 1
          if (this.underWay === 0) this.whenIdle?.()
        },
      )
    }
    return client
  }

  private async subscribe(client: MqttClient): Promise<void> {
    const { group, filters, url } = this.options
    try {
      const topics = filters.map((filter) => `$share/${group}/${filter}`)
      const granted = await client.subscribeAsync(topics, { qos: 1 })
      const refused = granted.find(({ qos }) => qos > 2)
      if (refused !== undefined) {
        const detail = `reason ${refused.qos}`
        throw bridgeErrors.brokerRefused({ url: hostOf(url), what: 'let us subscribe', detail })
      }
      if (client === this.client) this.problem = undefined
    } catch (error) {
      this.reopen(client, messageOf(error))
    }
  }

  private trouble(client: MqttClient, problem: string): void {
    if (client !== this.client || this.isClosed) return
    // It is said once, not at each attempt.
    if (this.problem === undefined) {
      this.options.warn(`the broker at ${hostOf(this.options.url)}: ${problem}`)
    }
    // What was wrong tells more than that the connection ended for it.
    if (problem !== 'not connected' || this.problem === undefined) this.problem = problem
  }

  private reopen(client: MqttClient, problem: string): void {
    if (client !== this.client || this.isClosed || this.again !== undefined) return
    this.trouble(client, problem)
    client.end(true)
    this.again = setTimeout(() => {
      this.again = undefined
      this.client = this.open()
    }, LIMITS.brokerRetryMs)
  }

  async close(): Promise<void> {
    this.isClosed = true
    clearTimeout(this.again)
    if (this.underWay > 0) {
      await new Promise<void>((resolve) => {
        this.whenIdle = resolve
      })
    }
    // Its session stays: what comes meanwhile waits for the next start.
    await this.client.endAsync(!this.client.connected)
  }
}

const PROTOCOLS = new Set(['mqtt:', 'mqtts:', 'ws:', 'wss:'])

/** @throws bridge.badBrokerUrl */
export function checkBrokerUrl(url: string): void {
  const parsed = URL.parse(url)
  if (parsed !== null && PROTOCOLS.has(parsed.protocol) && parsed.host !== '') return
  // It may hold a password.
  throw bridgeErrors.badBrokerUrl({ value: url.replace(/\/\/.*@/, '//...@') })
}

/** A URL without what is secret in it. */
function hostOf(url: string): string {
  return URL.parse(url)?.host ?? 'MQTT_URL'
}
