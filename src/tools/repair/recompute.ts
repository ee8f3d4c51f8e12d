import { Outputs } from '../../engine/rows.ts'
import type { RowBatch } from '../../engine/sink.ts'
import { Task } from '../../engine/task.ts'
import { fuse, topology, tumbling } from '../../engine/dsl.ts'
import { days, hours, MICROS_PER_MILLI, minutes, seconds } from '../../kernel/time.ts'
import type { Clock, Micros } from '../../kernel/time.ts'
import { MemoryLog } from '../../log/memory.ts'
import { topicNames } from '../../log/topics.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Codecs } from '../../schemas/codecs.ts'
import type { Quality, RepairedWindow } from '../../schemas/records.ts'
import { TABLES } from '../../schemas/tables.ts'
import { windowCells } from '../../../topologies/windows.ts'

/** A raw row of the series that is repaired, ascending in `at`. */
export interface RawSample {
  readonly at: Micros
  readonly value: number
  readonly quality: Quality
}

export interface RecomputeOptions {
  readonly tenant: string
  readonly meterId: string
  readonly channel: string
  /** With what leads up to the span and what follows it. */
  readonly samples: readonly RawSample[]
  /** The windows that are wanted: those in [from, to), both on a whole hour. */
  readonly from: Micros
  readonly to: Micros
  /** Between samples, as the series is known to send them; undefined: not known. */
  readonly intervalMicros: Micros | undefined
  readonly registry: Registry
  readonly codecs: Codecs
}

/** Nothing is late: the same windows as the processor's, over samples in their order. */
const whole = topology('repair', (t) => {
  const measured = t.readings('measured', { disorder: 0, horizon: days(36_500) })
  const inner = measured.window('quarter-hour', tumbling('15m', minutes(15)))
  const minute = measured.window('minute', tumbling('1m', minutes(1)))
  minute.toTable('minute-rows', TABLES.windows, windowCells)
  inner.toTable('quarter-hour-rows', TABLES.windows, windowCells)
  const hour = inner.combine('hour', tumbling('1h', hours(1)))
  hour.toTable('hour-rows', TABLES.windows, windowCells)
})
const pipeline = fuse('repair', [whole])

/** No channel bears it: what a reading of it says is that time has passed. */
const CLOSING = 'ml-closing'

/** The windows of a span as they are where every sample comes in time. */
export async function recompute(options: RecomputeOptions): Promise<readonly RepairedWindow[]> {
  const { tenant, meterId, channel, samples, from, to, codecs } = options
  const clock: Clock & { micros: Micros } = {
    micros: 0,
    nowMicros: () => clock.micros,
    monotonicMillis: () => clock.micros / MICROS_PER_MILLI,
  }
  const log = new MemoryLog(clock)
  const topics = topicNames()
  await log.createTopics([{ topic: topics.readings, partitions: 1, settings: {} }])
  const append = (at: Micros, name: string, value: number, quality: Quality) => {
    const measurements = [{ channel: name, value, quality }]
    const reading = { tenant, meterId, at, seq: null, measurements }
    const key = Buffer.from(`${tenant}/${meterId}`)
    const record = { key, value: codecs.reading.encode(reading), partition: 0 }
    log.appendNow(topics.readings, [record])
  }
  for (const { at, value, quality } of samples) append(at, channel, value, quality)
  // All windows close; then what later samples of a register restated is due.
  const last = Math.max(to, samples.at(-1)?.at ?? to)
  append(last + hours(1), CLOSING, 0, 'MEASURED')
  clock.micros += seconds(20)
  append(last + hours(1), CLOSING, 0, 'MEASURED')

  const outputs = new Outputs()
  const registry = withInterval(options)
  const given = { pipeline, partition: 0, partitions: 0, epoch: 0, registry, codecs, topics }
  const task = new Task({ ...given, outputs })
  const rows = new Map<string, RepairedWindow>()
  for await (const batch of log.read({ topic: topics.readings, partition: 0, from: 0 })) {
    task.process(batch)
    for (const taken of outputs.take().tables) collect(taken, { channel, from, to }, rows)
  }
  return [...rows.values()].sort((a, b) => a.start - b.start || (a.width < b.width ? -1 : 1))
}

/** The length of an interval that is labelled by its end was learned long ago. */
function withInterval({ registry, intervalMicros }: RecomputeOptions): Registry {
  return {
    ...registry,
    meter: (tenant, meterId) => ({
      ...registry.meter(tenant, meterId),
      expectedIntervalMicros: intervalMicros,
    }),
    channel: (tenant, meterId, channel) => registry.channel(tenant, meterId, channel),
  }
}

function collect(
  { spec, count, columns }: RowBatch,
  { channel, from, to }: { channel: string; from: Micros; to: Micros },
  into: Map<string, RepairedWindow>,
): void {
  const column = Object.fromEntries(spec.columns.map(({ name }, i) => [name, columns[i]!]))
  const number = (name: string, row: number) => {
    const value = column[name]![row] as number
    return Number.isNaN(value) ? null : value
  }
  for (let row = 0; row < count; row++) {
    const start = column['ts']![row] as number
    if (column['channel']![row] !== channel || start < from || start >= to) continue
    const width = column['width']![row] as string
    into.set(`${start} ${width}`, {
      width,
      start,
      count: column['count']![row] as number,
      sum: number('sum', row),
      min: number('min', row),
      max: number('max', row),
      first: number('first', row),
      last: number('last', row),
      stddev: number('stddev', row),
      energyWh: number('energy_wh', row),
      estimated: column['estimated']![row] === 1,
    })
  }
}
