import { Outputs } from '../../src/engine/rows.ts'
import { Task } from '../../src/engine/task.ts'
import { meterKey } from '../../src/kernel/ids.ts'
import { minutes } from '../../src/kernel/time.ts'
import { toBatch } from '../../src/log/batch.ts'
import type { RecordBatch } from '../../src/log/log.ts'
import { topicNames } from '../../src/log/topics.ts'
import { type Codecs, loadCodecs } from '../../src/schemas/codecs.ts'
import { benchPipeline } from '../../topologies/bench.ts'
import { random } from '../support/random.ts'
import { START } from '../support/readings.ts'
import { testRegistry } from '../support/registry.ts'

/**
 * What a reading costs and a series takes, by the number of series, in one task of the benchmark's
 * topology. First each series gets so many quarter hours of one reading that it has a baseline;
 * then two of one reading a minute, which are measured. In each minute the meters come in another
 * order, so that nothing is in a cache because its neighbour was just there.
 */
export interface SeriesCost {
  readonly series: number
  readonly readings: number
  readonly cpuMicrosPerReading: number
  readonly bytesPerSeries: number
}

const CHANNELS = ['power_w', 'voltage_v']
export const WARM_QUARTERS = 26
export const MEASURED_MINUTES = 30
const BATCH = 5_000

export async function measureSeries(counts: readonly number[]): Promise<readonly SeriesCost[]> {
  const codecs = await loadCodecs()
  // Unmeasured: the program is not compiled yet.
  new Fleet(codecs, 2_000).run()
  return counts.map((series) => new Fleet(codecs, series).run())
}

/** A task of the benchmark's topology that has seen nothing yet. */
export function benchTask(codecs: Codecs, outputs: Outputs): Task {
  return new Task({
    ...{ pipeline: benchPipeline, partition: 0, partitions: 1, epoch: 0 },
    ...{ registry: testRegistry(), codecs, topics: topicNames(), outputs },
  })
}

/** Meters of two channels each, and one task that takes their readings in. */
export class Fleet {
  private readonly codecs: Codecs
  private readonly series: number
  private readonly meters: Int32Array
  private readonly next = random(7)
  readonly outputs = new Outputs()
  readonly task: Task
  private offset = 0
  private cpuMicros = 0

  constructor(codecs: Codecs, series: number) {
    this.codecs = codecs
    this.series = series
    this.meters = Int32Array.from({ length: series / CHANNELS.length }, (_, i) => i)
    this.task = benchTask(codecs, this.outputs)
  }

  run(): SeriesCost {
    for (let quarter = 0; quarter < WARM_QUARTERS; quarter++) this.minute(15 * quarter)
    this.cpuMicros = 0
    const before = this.offset
    const measuredFrom = 15 * WARM_QUARTERS
    for (let i = 0; i < MEASURED_MINUTES; i++) this.minute(measuredFrom + i)
    const readings = this.offset - before
    const { series, task } = this
    return {
      ...{ series, readings },
      cpuMicrosPerReading: this.cpuMicros / readings,
      bytesPerSeries: task.stateBytes / series,
    }
  }

  /** One reading of each meter, in batches. */
  *batches(minute: number): Generator<RecordBatch> {
    this.shuffle()
    for (let at = 0; at < this.meters.length; at += BATCH) {
      yield this.batch(this.meters.subarray(at, at + BATCH), minute)
    }
  }

  private minute(minute: number): void {
    for (const batch of this.batches(minute)) {
      const began = process.cpuUsage()
      this.task.process(batch)
      this.outputs.take()
      const { user, system } = process.cpuUsage(began)
      this.cpuMicros += user + system
    }
  }

  private shuffle(): void {
    const { meters } = this
    for (let i = meters.length - 1; i > 0; i--) {
      const j = Math.floor(this.next() * (i + 1))
      const meter = meters[i]!
      meters[i] = meters[j]!
      meters[j] = meter
    }
  }

  private batch(meters: Int32Array, minute: number): RecordBatch {
    const records = Array.from(meters, (meter) => ({
      key: Buffer.from(meterKey('bench', `meter-${meter}`)),
      value: this.codecs.reading.encode({
        tenant: 'bench',
        meterId: `meter-${meter}`,
        at: START + minutes(minute),
        seq: minute,
        measurements: CHANNELS.map((channel) => ({
          ...{ channel, quality: 'MEASURED' as const },
          value: Math.round(8 * (500 + 500 * this.next())) / 8,
        })),
      }),
    }))
    const first = this.offset
    this.offset += records.length
    return toBatch(records, {
      ...{ topic: 'readings', partition: 0, nextOffset: this.offset },
      offsets: Float64Array.from(records, (_, i) => first + i),
      appendMillis: new Float64Array(records.length).fill((START + minutes(minute)) / 1_000),
      headerOf: () => undefined,
    })
  }
}
