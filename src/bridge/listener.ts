import { type Server, type Socket, createServer } from 'node:net'
import type { Duplex } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { Aedes, type Client, type ConnectPacket, type PublishPacket } from 'aedes'
import { messageOf } from '../kernel/errors.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { Clock } from '../kernel/time.ts'
import { listenError } from '../ops/listen.ts'
import type { Authenticator } from './auth.ts'
import { DeviceConnection, type SharedByConnections } from './device-connection.ts'
import { bridgeErrors } from './errors.ts'
import type { Gate } from './gate.ts'
import type { Intake } from './intake.ts'
import type { BridgeMetrics } from './metrics.ts'
import { Pubacks } from './pubacks.ts'

export interface ListenerOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly authenticator: Authenticator
  readonly intake: Intake
  readonly gate: Gate
  readonly metrics: BridgeMetrics
  readonly clock: Clock
  /** What a person who looks for a device's trouble wants to know. */
  readonly debug: (what: string) => void
}

export interface Listener {
  readonly port: number
  /** Who comes now is not let in; who is there stays. */
  stopAccepting(): void
  /** Says good-bye to every device; what is in flight must have been acknowledged before. */
  close(): Promise<void>
}

type Done = (error?: Error | null) => void

/** CONNACK's codes of MQTT 3.1.1. */
const SERVER_UNAVAILABLE = 3
const BAD_USERNAME_OR_TOKEN = 4

const NOTHING = Buffer.alloc(0)

/**
 * The MQTT 3.1.1 listener for devices, on aedes: its parser, its sessions' take-over, its QoS 2. A
 * PUBACK (or PUBREC) follows the message's place in Kafka, since aedes sends it after
 * `authorizePublish`.
 *
 * What a broker does beyond that is cut off. Nothing is fanned out or kept: a retained message is
 * an ordinary reading, a will is counted and forgotten (it was written before what it tells of), no
 * session outlives its connection, and nobody may subscribe.
 *
 * @throws ops.portTaken, ops.cannotListen
 */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  const listener = new MqttListener(options)
  await listener.open()
  return listener
}

class MqttListener implements Listener {
  private readonly options: ListenerOptions
  private readonly broker: Aedes
  private readonly server: Server
  private readonly connections = new Map<Duplex, DeviceConnection>()
  private readonly shared: SharedByConnections
  private readonly pubacks = new Pubacks()
  private keepalive: NodeJS.Timeout | undefined

  constructor(options: ListenerOptions) {
    this.options = options
    const { gate, metrics, debug } = options
    this.shared = {
      gate,
      metrics,
      partialBytes: 0,
      onEnded: ({ clientId, socket }, why) => {
        debug(`${clientId} at ${String(socket.remoteAddress)} is disconnected: ${why.message}`)
      },
    }
    this.broker = new Aedes({
      connectTimeout: LIMITS.bridgeConnectMsMax,
      queueLimit: LIMITS.bridgeEarlyPacketsMax,
      maxInflightInbound: LIMITS.bridgeQos2Max,
      preConnect: (client, packet, done) => this.preConnect(client, packet, done),
      authenticate: (client, username, password, done) => {
        void this.authenticate(client, username, password).then((returnCode) => {
          if (returnCode === 0) done(null, true)
          else done(Object.assign(new Error('refused'), { returnCode }), null)
        })
      },
      authorizePublish: (client, packet, done) => this.authorizePublish(client, packet, done),
      authorizeSubscribe: (_client, _subscription, done) => {
        metrics.subscriptionsRefused += 1
        done(null, null)
      },
    })
    // Behind `authorizePublish` there is nobody to tell: no subscriber, no retained message, no
    // queue. It saves half of aedes's time a message, and all that would grow.
    this.broker.publish = (_packet: unknown, client: unknown, done?: Done) => {
      const callback = typeof client === 'function' ? (client as Done) : done
      callback?.()
    }
    this.server = createServer({ noDelay: true, keepAlive: true }, (socket) => this.accept(socket))
    this.server.maxConnections = LIMITS.bridgeConnectionsMax
    metrics.gauge('connections', 'Connections of devices', () => this.connections.size)
    metrics.gauge(
      'paused_connections',
      'Connections that are left unread, since too much is in flight',
      () => [...this.connections.values()].filter(({ isWaiting }) => isWaiting).length,
    )
  }

  get port(): number {
    const address = this.server.address()
    return typeof address === 'object' ? (address?.port ?? 0) : 0
  }

  async open(): Promise<void> {
    await this.broker.listen()
    const { host, port } = this.options
    try {
      await new Promise<void>((resolve, reject) => {
        this.server.once('error', reject)
        this.server.listen({ host, port, backlog: 4_096 }, () => {
          this.server.off('error', reject)
          resolve()
        })
      })
    } catch (error) {
      this.broker.close()
      throw listenError({ role: 'bridge', host, port, setting: 'MQTT_PORT' }, error)
    }
    this.server.on('error', (error) => this.options.debug(messageOf(error)))
    this.keepalive = setInterval(() => {
      const nowMs = performance.now()
      for (const connection of this.connections.values()) connection.checkKeepalive(nowMs)
    }, LIMITS.bridgeKeepaliveCheckMs)
  }

  private accept(socket: Socket): void {
    this.connections.set(socket, new DeviceConnection(socket, this.shared))
    socket.once('close', () => this.connections.delete(socket))
    this.broker.handle(socket)
  }

  private preConnect(
    client: Client,
    packet: ConnectPacket,
    done: (error: Error | null, isAllowed: boolean) => void,
  ): void {
    const connection = this.connections.get(client.conn)
    if (connection === undefined) {
      done(null, false)
      return
    }
    connection.clientId = packet.clientId
    connection.keepaliveMs = (packet.keepalive ?? 0) * 1_000
    // Ours knows when we are the ones who do not read; aedes's does not.
    packet.keepalive = 0
    // There is no session to come back to: what was not acknowledged, the device has.
    packet.clean = true
    if (packet.will !== undefined) {
      delete packet.will
      this.options.metrics.willsIgnored += 1
    }
    done(null, true)
  }

  /** @returns CONNACK's code. */
  private async authenticate(
    client: Client,
    username: string | undefined,
    password: Buffer | undefined,
  ): Promise<number> {
    const { authenticator, metrics, debug } = this.options
    const connection = this.connections.get(client.conn)
    if (connection === undefined) return SERVER_UNAVAILABLE
    const { clientId } = connection
    try {
      const principal = await authenticator.authenticate(clientId, username, password)
      if (principal === undefined) {
        metrics.authRefusals += 1
        debug(`${clientId} is refused: user name ${String(username)} or its token is wrong`)
        return BAD_USERNAME_OR_TOKEN
      }
      connection.principal = principal
      // A connection takes over that of its client id: so that none can throw out another's device.
      Object.assign(client, { id: `${principal.name}/${client.id}` })
      return 0
    } catch (error) {
      debug(`${clientId} cannot be checked: ${messageOf(error)}`)
      return SERVER_UNAVAILABLE
    }
  }

  private authorizePublish(client: Client | null, packet: PublishPacket, done: Done): void {
    const connection = client === null ? undefined : this.connections.get(client.conn)
    if (connection === undefined || connection.isClosed) return
    const { intake, metrics, clock } = this.options
    metrics.publish('listener', packet.qos)
    let weight = 0
    let isTaking = true
    weight = intake.take(
      {
        source: 'listener',
        mqttTopic: packet.topic,
        clientId: connection.clientId,
        payload: packet.payload as Buffer,
        receivedAtMicros: clock.nowMicros(),
        principal: connection.principal,
      },
      (error) => {
        connection.leave(weight)
        const settle = () => this.settle(connection, packet, error, done)
        // aedes's parser must have ended its turn before aedes hears of it: it would parse anew.
        if (isTaking) queueMicrotask(settle)
        else settle()
      },
    )
    isTaking = false
    connection.enter(weight)
  }

  private settle(
    connection: DeviceConnection,
    packet: PublishPacket,
    error: unknown,
    done: Done,
  ): void {
    // A device that is gone sends it again, or has no need to.
    if (connection.isClosed) return
    if (error !== undefined) {
      connection.end('kafka', bridgeErrors.notStored({ detail: messageOf(error) }))
      return
    }
    if (packet.qos === 1) {
      this.pubacks.add(connection.socket, packet.messageId!)
      // For aedes there is nothing left to be answered.
      packet.qos = 0
    }
    // Between PUBREC and PUBREL aedes keeps the packet, of which it needs the id alone.
    if (packet.qos === 2) packet.payload = NOTHING
    done()
  }

  stopAccepting(): void {
    this.server.close()
  }

  async close(): Promise<void> {
    clearInterval(this.keepalive)
    this.stopAccepting()
    // Answers are written at the end of a turn.
    await turn()
    const sockets = [...this.connections.keys()]
    const gone = sockets.map((socket) => {
      return new Promise((resolve) => socket.once('close', resolve))
    })
    const late = setTimeout(() => {
      for (const socket of sockets) socket.destroy()
    }, LIMITS.bridgeGoodbyeMs)
    for (const socket of sockets) socket.end()
    await Promise.all(gone)
    clearTimeout(late)
    await new Promise<void>((resolve) => this.broker.close(resolve))
  }
}
