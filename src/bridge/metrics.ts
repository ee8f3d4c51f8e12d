import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { payloadErrors } from './formats/errors.ts'

/** Why a connection was ended by us. */
export type DisconnectReason = 'oversize' | 'malformed' | 'overload' | 'keepalive' | 'kafka'

/**
 * What the bridge counts. Plain numbers on the hot path, read by prom-client when somebody scrapes:
 * its own counters cost a microsecond a message.
 */
export class BridgeMetrics {
  readings = 0
  ignored = 0
  inFlight = 0
  willsIgnored = 0
  subscriptionsRefused = 0
  authRefusals = 0
  ticks = 0
  readonly disconnects: Record<DisconnectReason, number> = {
    oversize: 0,
    malformed: 0,
    overload: 0,
    keepalive: 0,
    kafka: 0,
  }
  private readonly publishes = { listener: [0, 0, 0], broker: [0, 0, 0] }
  /** Every reason from the start: a counter that begins at 5 looks to Prometheus as if it stood. */
  private readonly deadLetters = new Map(
    Object.keys(payloadErrors).map((name) => [`payload.${name}`, 0]),
  )
  private readonly appendSeconds: Histogram
  private readonly appendFailures: Counter
  private readonly registry: Registry

  constructor(registry: Registry) {
    this.registry = registry
    const registers = [registry]
    this.appendSeconds = new Histogram({
      name: 'meterloom_bridge_append_seconds',
      help: 'Time of one append to Kafka, from the call to the acknowledgement',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    })
    this.appendFailures = new Counter({
      name: 'meterloom_bridge_append_failures_total',
      help: 'Appends that Kafka refused; their devices were disconnected to send again',
      registers,
    })
    this.registerTotals()
    this.registerLabelled()
    this.gauge('in_flight', 'Publishes that wait for Kafka', () => this.inFlight)
  }

  publish(source: 'listener' | 'broker', qos: number): void {
    this.publishes[source][qos]! += 1
  }

  /** How many publishes have come from a source, of any QoS. */
  publishCount(source: 'listener' | 'broker'): number {
    return this.publishes[source].reduce((sum, count) => sum + count, 0)
  }

  deadLetter(reason: string): void {
    this.deadLetters.set(reason, (this.deadLetters.get(reason) ?? 0) + 1)
  }

  append(seconds: number, error: unknown): void {
    this.appendSeconds.observe(seconds)
    if (error !== undefined) this.appendFailures.inc()
  }

  /** A gauge of the bridge that is read when somebody scrapes. */
  gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name: `meterloom_bridge_${name}`,
      help,
      registers: [this.registry],
      collect() {
        this.set(read())
      },
    })
  }

  private total(name: string, help: string, read: () => number): void {
    new Counter({
      name: `meterloom_bridge_${name}`,
      help,
      registers: [this.registry],
      collect() {
        this.reset()
        this.inc(read())
      },
    })
  }

  private registerTotals(): void {
    this.total('readings_total', 'Readings that are in Kafka', () => this.readings)
    this.total(
      'ignored_total',
      'Messages and elements that hold no reading, such as the state of a button',
      () => this.ignored,
    )
    this.total('ticks_total', 'Ticks that are in Kafka, one round over all partitions each', () => {
      return this.ticks
    })
    this.total('wills_ignored_total', 'Will messages that devices left with us', () => {
      return this.willsIgnored
    })
    this.total('subscriptions_refused_total', 'Topics that a device asked to subscribe to', () => {
      return this.subscriptionsRefused
    })
    this.total('auth_refusals_total', 'Connections refused for their user name or token', () => {
      return this.authRefusals
    })
  }

  private registerLabelled(): void {
    const registers = [this.registry]
    const { publishes, deadLetters, disconnects } = this
    new Counter({
      name: 'meterloom_bridge_publishes_total',
      help: 'Publishes that came, repeats included, by source and QoS',
      labelNames: ['source', 'qos'],
      registers,
      collect() {
        this.reset()
        for (const [source, counts] of Object.entries(publishes)) {
          counts.forEach((count, qos) => this.inc({ source, qos: String(qos) }, count))
        }
      },
    })
    new Counter({
      name: 'meterloom_bridge_dead_letters_total',
      help: 'Dead letters that are in Kafka, by reason',
      labelNames: ['reason'],
      registers,
      collect() {
        this.reset()
        for (const [reason, count] of deadLetters) this.inc({ reason }, count)
      },
    })
    new Counter({
      name: 'meterloom_bridge_disconnects_total',
      help:
        'Connections that the bridge ended: oversize (a frame above 1 MiB), malformed ' +
        '(no MQTT), overload ' +
        '(too much begun and not ended), keepalive (silent), kafka (not stored, to be sent again)',
      labelNames: ['reason'],
      registers,
      collect() {
        this.reset()
        for (const [reason, count] of Object.entries(disconnects)) this.inc({ reason }, count)
      },
    })
  }
}
