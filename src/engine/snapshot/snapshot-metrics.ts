import { Counter, Gauge, Histogram } from 'prom-client'
import type { Registry } from 'prom-client'
import type { Clock } from '../../kernel/time.ts'
import type { StreamTask } from '../stream-task.ts'

interface Taken {
  readonly bytes: number
  readonly millis: number
  readonly isBase: boolean
}

/** What snapshots cost and how old they are. Without a registry it counts for nobody. */
export class SnapshotMetrics {
  private readonly clock: Clock
  private readonly takenAtMs = new WeakMap<StreamTask, number>()
  private readonly seconds: Histogram | undefined
  private readonly bytes: Counter<'kind'> | undefined
  private readonly failures: Counter | undefined
  private readonly restoreSeconds: Histogram | undefined
  private heldMsMax = 0

  constructor(registry: Registry | undefined, clock: Clock, tasks: () => readonly StreamTask[]) {
    this.clock = clock
    if (registry === undefined) return
    const registers = [registry]
    const buckets = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100]
    const name = (end: string) => `meterloom_engine_${end}`
    this.seconds = new Histogram({
      name: name('snapshot_seconds'),
      help: 'Time from freezing the state of a partition until its manifest is in the log',
      ...{ buckets, registers },
    })
    this.bytes = new Counter({
      name: name('snapshot_bytes_total'),
      help: 'Bytes of snapshots in the log, by kind: base or delta',
      labelNames: ['kind'],
      registers,
    })
    for (const kind of ['base', 'delta']) this.bytes.inc({ kind }, 0)
    this.failures = new Counter({
      name: name('snapshot_failures_total'),
      help: 'Snapshots that were given up',
      registers,
    })
    this.restoreSeconds = new Histogram({
      name: name('restore_seconds'),
      help: 'Time in which the state of a partition was made anew',
      ...{ buckets, registers },
    })
    this.gauges(registers, tasks)
  }

  private gauges(registers: Registry[], tasks: () => readonly StreamTask[]): void {
    const gauge = (name: string, help: string, value: () => number) =>
      new Gauge({
        name: `meterloom_engine_${name}`,
        help,
        registers,
        collect() {
          this.set(value())
        },
      })
    gauge('state_bytes_per_series', 'Bytes of state in this process by series', () => {
      const series = tasks().reduce((sum, { table }) => sum + table.seriesCount, 0)
      const bytes = tasks().reduce((sum, { stateBytes }) => sum + stateBytes, 0)
      return series === 0 ? 0 : bytes / series
    })
    const help = 'Age of the newest snapshot, or of the state where none was taken; of the oldest'
    gauge('snapshot_age_seconds', help, () => {
      const nowMs = this.clock.monotonicMillis()
      const ages = tasks().map((task) => nowMs - (this.takenAtMs.get(task) ?? nowMs))
      return Math.max(0, ...ages) / 1_000
    })
    const held = 'Longest time for which a snapshot held the event loop, since the last look'
    gauge('snapshot_held_seconds', held, () => {
      const held = this.heldMsMax / 1_000
      this.heldMsMax = 0
      return held
    })
  }

  /** A task is at work, made anew in this time. */
  restored(task: StreamTask, millis: number): void {
    this.takenAtMs.set(task, this.clock.monotonicMillis())
    this.restoreSeconds?.observe(millis / 1_000)
  }

  taken(task: StreamTask, { bytes, millis, isBase }: Taken): void {
    this.takenAtMs.set(task, this.clock.monotonicMillis())
    this.seconds?.observe(millis / 1_000)
    this.bytes?.inc({ kind: isBase ? 'base' : 'delta' }, bytes)
  }

  held(millis: number): void {
    this.heldMsMax = Math.max(this.heldMsMax, millis)
  }

  failed(): void {
    this.failures?.inc()
  }
}
