import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { connectLog } from '../../src/log/connect.ts'
import type { Log } from '../../src/log/log.ts'
import { startKafka } from '../support/own-kafka.ts'
import type { EngineReport } from './engine-process.ts'
import { median, runPeers } from './peer-tools.ts'

const HELP = `npm run bench:processors -- [options]

What a reading costs with 1, 2 and 4 processors in one group: the benchmark's topology
(test/bench/peers/engines/SPEC.md) over the same topic of 12 partitions, in turn. CPU seconds of all
processors, from the first record of each until all is committed; what a process takes before that
is told apart, and so is the cost after the first 100,000 readings of each. Each run's rows are
compared with a batch computation. Kafka is the benchmark's own.

  --readings N     readings of the input, about (4000000)
  --meters N       meters that they are of (2000)
  --processors L   numbers of processors (1,2,4)
  --rounds N       rounds; medians are shown (3)
  --json           one line for programs`

const { values: flags } = parseArgs({
  options: {
    readings: { type: 'string', default: '4000000' },
    meters: { type: 'string', default: '2000' },
    processors: { type: 'string', default: '1,2,4' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const INPUT = 'bench.readings'
const PARTITIONS = 12
/** So long the group waits for one more member, so that all share the backlog from its start. */
const GATHER_MS = 4_000

interface Measured {
  readonly processors: number
  readonly readings: number
  readonly readingsPerSecond: number
  readonly cpuMicrosPerReading: number
  /** Without the first 100,000 readings of each process, with which V8 warms up. */
  readonly steadyMicrosPerReading: number
  /** Of one process, before its first record. */
  readonly startCpuSeconds: number
  readonly match: boolean
}

interface Bench {
  readonly log: Log
  readonly kafkaBrokers: string
  readonly expected: string
  readonly ends: readonly number[]
  runs: number
}

interface Processor {
  readonly child: ChildProcess
  readonly report: Promise<EngineReport>
}

function startProcessor(options: object): Processor {
  const script = join(import.meta.dirname, 'engine-process.ts')
  const child = spawn(process.execPath, [script, JSON.stringify({ ...options, isTold: true })], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  const report = async () => {
    let text = ''
    for await (const chunk of child.stdout!) text += String(chunk)
    if (text === '') throw new Error('a processor ended without a report')
    return JSON.parse(text) as EngineReport
  }
  return { child, report: report() }
}

/** Resolves when the group has committed all. */
async function drained({ log, ends }: Bench, group: string, processors: readonly Processor[]) {
  const ended = Promise.race(processors.map(({ child }) => once(child, 'exit')))
  const isGone = ended.then(() => true)
  for (;;) {
    const committed = await log.committed(group, INPUT)
    if (ends.every((end, partition) => (committed[partition]?.offset ?? -1) >= end)) return
    const pause = sleep(50).then(() => false)
    if (await Promise.race([isGone, pause])) throw new Error('a processor ended too early')
  }
}

async function run(bench: Bench, count: number): Promise<Measured> {
  const { log, kafkaBrokers, ends, expected } = bench
  bench.runs += 1
  const out = `bench.windows.processors-${bench.runs}`
  const settings = { 'message.timestamp.type': 'LogAppendTime' }
  await log.createTopics([{ topic: out, partitions: PARTITIONS, settings }])
  const group = `bench-processors-${bench.runs}`
  const options = { kafkaBrokers, input: INPUT, out, group }
  const processors = Array.from({ length: count }, () => startProcessor(options))
  await drained(bench, group, processors)
  for (const { child } of processors) child.send('drained')
  const reports = await Promise.all(processors.map(({ report }) => report))
  const sum = (of: (one: EngineReport) => number) => reports.reduce((s, one) => s + of(one), 0)
  const readings = ends.reduce((total, end) => total + end)
  const first = Math.min(...reports.map(({ firstMillis }) => firstMillis))
  const last = Math.max(...reports.map(({ lastMillis }) => lastMillis))
  const peers = { kafkaBrokers, partitions: PARTITIONS }
  const check = runPeers(peers, 'check', out, '--expect', expected)
  // What was taken in twice was handed from one processor to another in the middle.
  const records = sum((one) => one.records)
  if (!flags.json && records !== readings) console.log(`${records} records of ${readings} taken in`)
  await log.deleteTopics([out])
  const cpuOf = (one: EngineReport) => one.steady!.cpuSeconds
  const startCpuSeconds = sum((one) => one.wholeCpuSeconds - one.cpuSeconds) / count
  return {
    processors: count,
    readings,
    readingsPerSecond: Math.round((1_000 * readings) / (last - first)),
    cpuMicrosPerReading: (1e6 * sum((one) => one.cpuSeconds)) / readings,
    steadyMicrosPerReading: (1e6 * sum(cpuOf)) / sum((one) => one.steady!.records),
    startCpuSeconds,
    match: check.ok,
  }
}

function lineOf(one: Measured, least: number): string {
  const times = (one.cpuMicrosPerReading / least).toFixed(2)
  return (
    `${one.processors} processors: ${one.cpuMicrosPerReading.toFixed(2)} µs of CPU a reading, ` +
    `${times} times the first, ${one.steadyMicrosPerReading.toFixed(2)} when warm, ` +
    `${one.readingsPerSecond} readings/s, ` +
    `start ${one.startCpuSeconds.toFixed(2)} CPU s each, ${one.match ? 'MATCH' : 'DIFFERENT'}`
  )
}

function medians(all: readonly Measured[]) {
  const groups = [...Map.groupBy(all, ({ processors }) => processors)]
  const of = (list: readonly Measured[], value: (one: Measured) => number) =>
    Number(median(list.map(value)).toFixed(3))
  const first = of(groups[0]![1], (one) => one.cpuMicrosPerReading)
  const firstSteady = of(groups[0]![1], (one) => one.steadyMicrosPerReading)
  return groups.map(([processors, list]) => {
    const cpuMicrosPerReading = of(list, (one) => one.cpuMicrosPerReading)
    const steadyMicrosPerReading = of(list, (one) => one.steadyMicrosPerReading)
    return {
      processors,
      readings: list[0]!.readings,
      readingsPerSecond: of(list, (one) => one.readingsPerSecond),
      cpuMicrosPerReading,
      timesTheFirst: Number((cpuMicrosPerReading / first).toFixed(3)),
      steadyMicrosPerReading,
      steadyTimesTheFirst: Number((steadyMicrosPerReading / firstSteady).toFixed(3)),
      startCpuSeconds: of(list, (one) => one.startCpuSeconds),
      match: list.every((one) => one.match),
    }
  })
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'meterloom-bench-'))
  const gather = { 'group.initial.rebalance.delay.ms': String(GATHER_MS) }
  const kafka = await startKafka(gather)
  try {
    const { kafkaBrokers } = kafka
    const peers = { kafkaBrokers, partitions: PARTITIONS }
    const minutes = Math.ceil(Number(flags.readings) / Number(flags.meters))
    runPeers(peers, 'build')
    runPeers(peers, 'load', flags.meters, String(minutes))
    const expected = join(folder, 'expected')
    runPeers(peers, 'reference', '--save', expected)
    const log = await connectLog({ kafkaBrokers })
    const bench = { log, kafkaBrokers, expected, ends: await log.endOffsets(INPUT), runs: 0 }
    const all: Measured[] = []
    for (let round = 0; round < Number(flags.rounds); round++) {
      for (const count of flags.processors.split(',').map(Number)) {
        all.push(await run(bench, count))
        if (!flags.json) console.log(lineOf(all.at(-1)!, all[0]!.cpuMicrosPerReading))
      }
    }
    await log.close()
    const processors = medians(all)
    if (flags.json) console.log(JSON.stringify({ processors }))
    else console.table(processors)
    if (!processors.every(({ match }) => match)) process.exitCode = 1
  } finally {
    await kafka.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

if (flags.help) console.log(HELP)
else await main()
