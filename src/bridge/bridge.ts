import type { Registry } from 'prom-client'
import { messageOf } from '../kernel/errors.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { Clock } from '../kernel/time.ts'
import type { OutgoingRecord, Producer } from '../log/log.ts'
import type { Topics } from '../log/topics.ts'
import { Appender } from './appender.ts'
import type { Authenticator } from './auth.ts'
import { type BrokerSource, checkBrokerUrl, openBrokerSource } from './broker-source.ts'
import { Gate } from './gate.ts'
import type { Decoder } from './inbound.ts'
import { Intake } from './intake.ts'
import { openListener } from './listener.ts'
import { BridgeMetrics } from './metrics.ts'
import { Ticker } from './ticks.ts'

export interface BridgeOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly authenticator: Authenticator
  readonly decoder: Decoder
  readonly producer: Producer
  readonly topics: Pick<Topics, 'readings' | 'deadLetters'>
  /** One for each partition of `readings`. */
  readonly ticks: readonly OutgoingRecord[]
  /** The second source; none where it is left out. */
  readonly broker?: {
    readonly url: string
    readonly filters: readonly string[]
    readonly group: string
    readonly clientIdPrefix: string
  }
  readonly registry: Registry
  readonly clock: Clock
  readonly debug: (what: string) => void
  readonly warn: (what: string) => void
}

/** MQTT on one side, the log on the other: both sources, and what they share. */
export interface Bridge {
  /** Where the listener is. */
  readonly port: number
  /** One line for each part that does not do its work. */
  problems(): readonly string[]
  /**
   * Stops taking messages, finishes those in flight, and says good-bye. The producer stays open.
   */
  close(): Promise<void>
}

/** @throws bridge.badBrokerUrl, ops.portTaken, ops.cannotListen */
export async function openBridge(options: BridgeOptions): Promise<Bridge> {
  const { producer, topics, clock, decoder, warn } = options
  if (options.broker !== undefined) checkBrokerUrl(options.broker.url)
  const metrics = new BridgeMetrics(options.registry)
  const gate = new Gate(LIMITS.bridgeInFlightBytesMax)
  metrics.gauge('in_flight_bytes', 'What publishes that wait for Kafka take in memory', () => {
    return gate.inFlightBytes
  })
  const health = new KafkaHealth(warn)
  const appender = new Appender({
    producer,
    topics,
    onAppended: (seconds, error) => {
      metrics.append(seconds, error)
      health.heard(error)
    },
  })
  const intake = new Intake({ decoder, appender, gate, metrics })
  const { host, port, authenticator, debug } = options
  const shared = { intake, metrics, clock }
  const listener = await openListener({ ...shared, host, port, authenticator, gate, debug })
  const ticker = new Ticker({
    producer,
    topic: topics.readings,
    records: options.ticks,
    everyMs: LIMITS.tickEveryMs,
    onTick: (error) => {
      if (error === undefined) metrics.ticks += 1
      // Where nobody publishes, ticks are what tells of Kafka.
      health.heard(error)
    },
  })
  let source: BrokerSource | undefined
  if (options.broker !== undefined) {
    source = openBrokerSource({ ...shared, ...options.broker, warn })
  }
  metrics.gauge('broker_connections', 'Connections to the broker of MQTT_URL', () => {
    return source?.connected ?? 0
  })
  return {
    port: listener.port,
    problems() {
      const problems: string[] = []
      if (health.problem !== undefined) problems.push(`kafka: ${health.problem}`)
      if (source?.problem !== undefined) problems.push(`broker: ${source.problem}`)
      return problems
    },
    async close() {
      listener.stopAccepting()
      gate.lock()
      // Kafka may be what is away: then what is in flight is refused, and its devices have it
      // still.
      const hurry = setTimeout(() => appender.hurry(), LIMITS.bridgeStopMs / 2)
      const late = Promise.withResolvers<undefined>()
      const limit = setTimeout(() => late.resolve(undefined), LIMITS.bridgeStopMs)
      const idle = Promise.all([appender.idle(), source?.close(), ticker.stop()])
      await Promise.race([idle, late.promise])
      clearTimeout(hurry)
      clearTimeout(limit)
      await listener.close()
    },
  }
}

/** Whether Kafka takes what we append; said once when it turns. */
class KafkaHealth {
  problem: string | undefined
  private readonly warn: (what: string) => void

  constructor(warn: (what: string) => void) {
    this.warn = warn
  }

  heard(error: unknown): void {
    const before = this.problem
    this.problem = error === undefined ? undefined : messageOf(error)
    if (before === undefined && this.problem !== undefined) {
      this.warn(`Kafka does not take readings: ${this.problem}`)
    }
    if (before !== undefined && this.problem === undefined) this.warn('Kafka takes readings again')
  }
}
