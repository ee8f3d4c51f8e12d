import { Counter, Gauge, type Registry } from 'prom-client'
import type { RecordBatch } from '../../log/log.ts'
import { LIVE_TOPICS, type LiveTopic } from '../contract/live.ts'

/** What the live feed tells Prometheus; `docs/metrics.md` says what each means. */
export class LiveMetrics {
  readonly repeats: Counter
  readonly unreadable: Counter
  readonly slowReaders: Counter
  readonly resyncs: Counter
  readonly resumes: Counter
  readonly trouble: Counter
  private readonly items: Counter<'topic'>
  private readonly lag: Gauge

  constructor(registry: Registry, connections: () => number, subscriptions: () => number) {
    const registers = [registry]
    const counter = (name: string, help: string) => new Counter({ name, help, registers })
    this.repeats = counter(
      'meterloom_live_repeats_total',
      'Records that a processor wrote twice and that were told once',
    )
    this.unreadable = counter(
      'meterloom_live_unreadable_total',
      'Records of the feeds that are none of ours',
    )
    this.slowReaders = counter(
      'meterloom_live_slow_readers_total',
      'Connections closed because they took nothing for too long',
    )
    this.resyncs = counter(
      'meterloom_live_resyncs_total',
      'Subscriptions that could not go on from their token',
    )
    this.resumes = counter(
      'meterloom_live_resumes_total',
      'Subscriptions that went on from their token without a gap',
    )
    this.trouble = counter('meterloom_live_trouble_total', 'Looks at the log that failed')
    this.items = new Counter({
      name: 'meterloom_live_records_total',
      help: 'Records that the feed has read',
      labelNames: ['topic'],
      registers,
    })
    for (const topic of LIVE_TOPICS) this.items.inc({ topic }, 0)
    this.lag = new Gauge({
      name: 'meterloom_live_lag_seconds',
      help: 'From the append of the last record until the feed had it',
      registers,
    })
    const gauge = (name: string, help: string, value: () => number) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(value())
        },
      })
    gauge('meterloom_live_connections', 'WebSocket connections', connections)
    gauge('meterloom_live_subscriptions', 'Subscriptions of all connections', subscriptions)
  }

  took(topic: LiveTopic, { count, appendMillis }: RecordBatch): void {
    this.items.inc({ topic }, count)
    this.lag.set(Math.max(0, Date.now() - appendMillis[count - 1]!) / 1_000)
  }
}
