import { once } from 'node:events'
import { type Socket, connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Packet, generate, parser } from 'mqtt-packet'
import { Registry } from 'prom-client'
import { openAuthenticator } from '../../src/bridge/auth.ts'
import { type Bridge, type BridgeOptions, openBridge } from '../../src/bridge/bridge.ts'
import type { Decoder } from '../../src/bridge/inbound.ts'
import { systemClock } from '../../src/kernel/time.ts'
import type { OutgoingRecord, Producer } from '../../src/log/log.ts'
import type { Scope } from '../support/database.ts'

/** A bridge in this process, with a producer that a test may hold or make refuse. */

const WAIT_MS_MAX = 20_000

/**
 * The meter's topic of `fleet/{tenant}/{meterId}/readings` as key, the payload as it is as value.
 */
export const plainDecoder: Decoder = {
  decode({ mqttTopic, payload }) {
    const key = Buffer.from(mqttTopic.split('/').slice(1, 3).join('/'))
    return {
      readings: [{ key, value: Buffer.from(payload) }],
      deadLetters: [],
      reasons: [],
      ignored: 0,
    }
  },
}

/** A log that a test can hold back: what is appended while it is held is answered by `release`. */
export class ForcedProducer implements Producer {
  mode: 'take' | 'hold' | 'refuse' = 'take'
  /** What it has acknowledged, in order. */
  readonly records: { topic: string; record: OutgoingRecord }[] = []
  calls = 0
  private held: { release(): void; refuse(): void }[] = []

  append(topic: string, records: readonly OutgoingRecord[]): Promise<[]> {
    this.calls += 1
    const { promise, resolve, reject } = Promise.withResolvers<[]>()
    const release = () => {
      for (const record of records) this.records.push({ topic, record })
      resolve([])
    }
    const refuse = () => reject(new Error('forced by the test'))
    if (this.mode === 'take') release()
    else if (this.mode === 'refuse') refuse()
    else this.held.push({ release, refuse })
    return promise
  }

  get heldCalls(): number {
    return this.held.length
  }

  release(): void {
    for (const call of this.held.splice(0)) call.release()
  }

  refuse(): void {
    for (const call of this.held.splice(0)) call.refuse()
  }

  values(topic = 'readings'): string[] {
    return this.records.filter((r) => r.topic === topic).map((r) => String(r.record.value))
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

export interface Rig {
  readonly bridge: Bridge
  readonly port: number
  readonly producer: ForcedProducer
  readonly debugged: readonly string[]
  /**
   * The value of a metric, without `meterloom_bridge_`; of all its labels together where none are
   * given.
   */
  readonly metric: (name: string, labels?: Readonly<Record<string, string>>) => Promise<number>
}

export async function openRig(
  scope: Scope,
  options: Partial<BridgeOptions> & { readonly producer?: ForcedProducer } = {},
): Promise<Rig> {
  const producer = options.producer ?? new ForcedProducer()
  const registry = new Registry()
  const debugged: string[] = []
  const bridge = await openBridge({
    host: '127.0.0.1',
    port: 0,
    authenticator: openAuthenticator,
    decoder: plainDecoder,
    topics: { readings: 'readings', deadLetters: 'dead-letters' },
    ticks: [],
    registry,
    clock: systemClock,
    debug: (what) => void debugged.push(what),
    warn: () => undefined,
    ...options,
    producer,
  })
  scope.after(async () => {
    producer.mode = 'take'
    producer.release()
    await bridge.close()
  })
  return {
    bridge,
    port: bridge.port,
    producer,
    debugged,
    metric: async (name, labels = {}) => {
      const found = registry.getSingleMetric(`meterloom_bridge_${name}`)
      if (found === undefined) throw new Error(`there is no metric ${name}`)
      const { values } = await found.get()
      return values
        .filter((v) => Object.entries(labels).every(([label, value]) => v.labels[label] === value))
        .reduce((sum, { value }) => sum + value, 0)
    },
  }
}

/** Polls until it holds; fails with what was waited for. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + WAIT_MS_MAX
  while (!(await isSo())) {
    if (performance.now() > deadlineMs) throw new Error(`waited in vain for ${what}`)
    await sleep(5)
  }
}

/** A device that sends the frames that a test makes, and keeps what comes back. */
export class RawDevice {
  readonly socket: Socket
  readonly packets: Packet[] = []
  isClosed = false

  private constructor(socket: Socket) {
    this.socket = socket
    const reader = parser()
    reader.on('packet', (packet) => this.packets.push(packet))
    socket.on('data', (chunk) => reader.parse(chunk))
    socket.on('error', () => undefined)
    socket.on('close', () => (this.isClosed = true))
  }

  static async open(scope: Scope, port: number): Promise<RawDevice> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const device = new RawDevice(socket)
    scope.after(async () => {
      await device.close()
    })
    await once(socket, 'connect')
    return device
  }

  /** Opened, and let in. */
  static async connected(
    scope: Scope,
    port: number,
    options: Partial<Extract<Packet, { cmd: 'connect' }>> = {},
  ): Promise<RawDevice> {
    const device = await RawDevice.open(scope, port)
    device.send(connectPacket(options))
    await device.received('connack')
    return device
  }

  send(...packets: readonly Packet[]): void {
    this.socket.write(Buffer.concat(packets.map((packet) => generate(packet))))
  }

  of<C extends Packet['cmd']>(cmd: C): Extract<Packet, { cmd: C }>[] {
    return this.packets.filter((p): p is Extract<Packet, { cmd: C }> => p.cmd === cmd)
  }

  async received(cmd: Packet['cmd'], count = 1): Promise<void> {
    await until(`${count} ${cmd}`, () => this.of(cmd).length >= count)
  }

  async closed(): Promise<void> {
    await until('the connection to be closed', () => this.isClosed)
  }

  async close(): Promise<void> {
    if (this.socket.closed) return
    this.socket.destroy()
    await once(this.socket, 'close')
  }
}

export function connectPacket(
  options: Partial<Extract<Packet, { cmd: 'connect' }>> = {},
): Extract<Packet, { cmd: 'connect' }> {
  return {
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: true,
    clientId: 'device',
    keepalive: 0,
    ...options,
  }
}

export function publishPacket(
  payload: string | Buffer,
  options: Partial<Extract<Packet, { cmd: 'publish' }>> = {},
): Extract<Packet, { cmd: 'publish' }> {
  return {
    cmd: 'publish',
    topic: 'fleet/demo/m-1/readings',
    payload,
    qos: 1,
    messageId: 1,
    dup: false,
    retain: false,
    ...options,
  }
}
