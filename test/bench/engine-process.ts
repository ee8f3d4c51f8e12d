import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Registry } from 'prom-client'
import { startRuntime } from '../../src/engine/runtime.ts'
import type { TableSink } from '../../src/engine/sink.ts'
import { connectLog } from '../../src/log/connect.ts'
import { topicNames } from '../../src/log/topics.ts'
import { loadCodecs } from '../../src/schemas/codecs.ts'
import { benchPipeline } from '../../topologies/bench.ts'
import { testRegistry } from '../support/registry.ts'

/**
 * One process of this engine in `bench:engine`: the benchmark's topology in the production runtime.
 * It ends when the group has committed the whole topic, and prints what it took.
 */
interface Options {
  readonly kafkaBrokers: string
  readonly input: string
  readonly out: string
  readonly group: string
  /** Whether the parent says by a message that the group has committed all; else it asks itself. */
  readonly isTold?: boolean
}

export interface EngineReport {
  /** From the first record of this process to the last commit of the group. */
  readonly seconds: number
  /** From the first record on, and in all. */
  readonly cpuSeconds: number
  readonly wholeCpuSeconds: number
  readonly peakRssMb: number
  readonly records: number
  /** After the first 100,000 records, by which V8 has compiled most; where the parent tells. */
  readonly steady?: { readonly cpuSeconds: number; readonly records: number }
  /** Milliseconds UTC of both ends. */
  readonly firstMillis: number
  readonly lastMillis: number
}

const { kafkaBrokers, input, out, group, isTold = false } = JSON.parse(process.argv[2]!) as Options

const WARM_RECORDS = 100_000

const noTables: TableSink = {
  write: () => Promise.reject(new Error('the benchmark has no tables')),
  close: () => Promise.resolve(),
}

const cpuSeconds = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

const log = await connectLog({ kafkaBrokers }, { clientId: 'bench-meterloom' })
const ends = await log.endOffsets(input)
const metrics = new Registry()
const failed = Promise.withResolvers<never>()
const runtime = await startRuntime({
  log,
  pipeline: benchPipeline,
  input,
  group,
  epoch: 0,
  topics: { ...topicNames(), readings: input, windows: out },
  registry: testRegistry(),
  tables: noTables,
  codecs: await loadCodecs(),
  metrics,
  onFailed: (error) => failed.reject(error),
})

const recordsSoFar = async () => {
  const counter = await metrics.getSingleMetric('meterloom_engine_records_total')!.get()
  return counter.values[0]?.value ?? 0
}
let wasTold = false
process.once('message', () => {
  wasTold = true
})
const isDrained = async () => {
  if (isTold) return wasTold
  const committed = await log.committed(group, input)
  return ends.every((end, partition) => (committed[partition]?.offset ?? -1) >= end)
}

async function since(cpu: number, records: number) {
  return { cpuSeconds: cpuSeconds() - cpu, records: (await recordsSoFar()) - records }
}

async function drain(): Promise<EngineReport> {
  while ((await recordsSoFar()) === 0 && !(await isDrained())) await sleep(5)
  const firstMillis = Date.now()
  const before = cpuSeconds()
  while (isTold && (await recordsSoFar()) < WARM_RECORDS && !wasTold) await sleep(10)
  const warmCpuSeconds = cpuSeconds()
  const warmRecords = await recordsSoFar()
  while (!(await isDrained())) await sleep(50)
  const lastMillis = Date.now()
  const [, kb] = /VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  return {
    seconds: (lastMillis - firstMillis) / 1_000,
    cpuSeconds: cpuSeconds() - before,
    wholeCpuSeconds: cpuSeconds(),
    peakRssMb: Math.round(Number(kb) / 1_024),
    records: await recordsSoFar(),
    ...(isTold ? { steady: await since(warmCpuSeconds, warmRecords) } : {}),
    firstMillis,
    lastMillis,
  }
}

const report = await Promise.race([drain(), failed.promise])
console.log(JSON.stringify(report))
await runtime.stop()
await log.close()
if (isTold) process.disconnect()
