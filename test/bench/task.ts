import { parseArgs } from 'node:util'
import { topology, fuse, tumbling } from '../../src/engine/dsl.ts'
import type { Pipeline } from '../../src/engine/dsl.ts'
import { Outputs } from '../../src/engine/rows.ts'
import { Task } from '../../src/engine/task.ts'
import { meterKey } from '../../src/kernel/ids.ts'
import { hours, minutes } from '../../src/kernel/time.ts'
import { toBatch } from '../../src/log/batch.ts'
import type { RecordBatch } from '../../src/log/log.ts'
import { countOf } from '../../src/log/outgoing.ts'
import { topicNames } from '../../src/log/topics.ts'
import { loadCodecs } from '../../src/schemas/codecs.ts'
import { TABLES } from '../../src/schemas/tables.ts'
import { pipeline } from '../../topologies/index.ts'
import { windowCells } from '../../topologies/windows.ts'
import { random } from '../support/random.ts'
import { testRegistry } from '../support/registry.ts'
import { START } from '../support/readings.ts'

/**
 * Readings a second that one core computes: record batches in memory through a task, its rows and
 * records made and thrown away. A reading is one record of two channels; one a minute a meter, 5 %
 * out of order, 1 % twice.
 */
const BATCH = 5_000

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    meters: { type: 'string', default: '1000' },
    minutes: { type: 'string', default: '600' },
    only: { type: 'string', default: '' },
  },
})

const codecs = await loadCodecs()

const quarters = fuse('quarters', [
  topology('quarters', (t) => {
    t.readings('measured', { disorder: minutes(2), horizon: hours(1) })
      .window('quarter-hour', tumbling('15m', minutes(15)))
      .toTable('rows', TABLES.windows, windowCells)
  }),
])

interface Sent {
  readonly due: number
  readonly meter: number
  readonly minute: number
}

function sendings(meters: number, minuteCount: number): Sent[] {
  const next = random(7)
  const sent: Sent[] = []
  for (let minute = 0; minute < minuteCount; minute++) {
    for (let meter = 0; meter < meters; meter++) {
      const due = minute + meter / meters + (next() < 0.05 ? next() * 0.75 : 0)
      sent.push({ due, meter, minute })
      if (next() < 0.01) sent.push({ due: due + next() * 0.75, meter, minute })
    }
  }
  return sent.sort((a, b) => a.due - b.due)
}

function batches(meters: number, minuteCount: number, channels: readonly string[]): RecordBatch[] {
  const next = random(8)
  const encoded = sendings(meters, minuteCount).map(({ due, meter, minute }, offset) => ({
    offset,
    appendMillis: Math.floor(START / 1_000 + due * 60_000),
    key: Buffer.from(meterKey('bench', `meter-${meter}`)),
    value: codecs.reading.encode({
      tenant: 'bench',
      meterId: `meter-${meter}`,
      at: START + minutes(minute),
      seq: minute,
      measurements: channels.map((channel) => ({
        channel,
        value: channel.includes('register')
          ? minute * 50
          : Math.round(8 * (500 + 500 * next())) / 8,
        quality: 'MEASURED' as const,
      })),
    }),
  }))
  const made: RecordBatch[] = []
  for (let at = 0; at < encoded.length; at += BATCH) {
    const part = encoded.slice(at, at + BATCH)
    made.push(
      toBatch(part, {
        topic: 'readings',
        partition: 0,
        nextOffset: part.at(-1)!.offset + 1,
        offsets: Float64Array.from(part, (record) => record.offset),
        appendMillis: Float64Array.from(part, (record) => record.appendMillis),
        headerOf: () => undefined,
      }),
    )
  }
  return made
}

function measure(name: string, of: Pipeline, input: readonly RecordBatch[]) {
  const outputs = new Outputs()
  const task = new Task({
    partitions: 1,
    pipeline: of,
    partition: 0,
    epoch: 0,
    registry: testRegistry(),
    codecs,
    topics: topicNames(),
    outputs,
  })
  let rows = 0
  let records = 0
  const began = process.cpuUsage()
  const wallBegan = performance.now()
  for (const batch of input) {
    task.process(batch)
    const { tables, logs } = outputs.take()
    for (const table of tables) rows += table.count
    for (const list of logs.values()) records += countOf(list)
  }
  const seconds = (performance.now() - wallBegan) / 1_000
  const { user, system } = process.cpuUsage(began)
  const readings = task.counts.records
  return {
    name,
    readings,
    rows,
    records,
    readingsPerSecond: Math.round(readings / seconds),
    cpuMicrosPerReading: Number(((user + system) / readings).toFixed(2)),
    stateBytesPerSeries: Math.round(task.stateBytes / task.table.seriesCount),
  }
}

const meters = Number(options.meters)
const minuteCount = Number(options.minutes)
const plain = batches(meters, minuteCount, ['power_w', 'energy_wh'])
const cases: readonly (readonly [string, Pipeline, readonly RecordBatch[]])[] = [
  ['product', pipeline, plain],
  [
    'product, with a register',
    pipeline,
    options.only === 'product' ? [] : batches(meters, minuteCount, ['power_w', 'register_wh']),
  ],
  ['15 min only', quarters, plain],
]
const results = cases
  .filter(([name, , input]) => name.startsWith(options.only) && input.length > 0)
  .map(([name, of, input]) => measure(name, of, input))
if (options.json) console.log(JSON.stringify({ task: results }))
else console.table(results)
