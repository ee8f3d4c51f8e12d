import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { connectLog } from '../../src/log/connect.ts'
import { startKafka } from '../support/own-kafka.ts'
import type { EngineReport } from './engine-process.ts'
import { median, runPeers } from './peer-tools.ts'

const HELP = `npm run bench:engine -- [options]

One topology (test/bench/peers/engines/SPEC.md) on one topic, by this engine, Kafka Streams and
Flink in turn; each one's rows are compared with a batch computation. Kafka is the benchmark's own.

  --meters N       meters of the input (1000)
  --minutes N      minutes of each (2160: 4.4 million readings)
  --rounds N       rounds; medians are shown (3)
  --processes N    processes of this engine (1)
  --only NAME      meterloom, kafka-streams, flink or raw
  --json           one line for programs`

const { values: flags } = parseArgs({
  options: {
    meters: { type: 'string', default: '2000' },
    minutes: { type: 'string', default: '2160' },
    rounds: { type: 'string', default: '3' },
    processes: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const INPUT = 'bench.readings'
const PARTITIONS = 4

interface Measured {
  readonly engine: string
  readonly readings: number
  readonly readingsPerSecond: number
  readonly cpuSeconds: number
  readonly peakRssMb: number
  readonly match: boolean
}

const peers = (kafkaBrokers: string, ...args: readonly string[]) =>
  runPeers({ kafkaBrokers, partitions: PARTITIONS }, ...args)

async function ours(kafkaBrokers: string, out: string, group: string): Promise<EngineReport> {
  const options = JSON.stringify({ kafkaBrokers, input: INPUT, out, group })
  const script = join(import.meta.dirname, 'engine-process.ts')
  const reports = Array.from({ length: Number(flags.processes) }, async () => {
    const child = spawn(process.execPath, [script, options], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    for await (const chunk of child.stdout) text += String(chunk)
    return JSON.parse(text) as EngineReport
  })
  const all = await Promise.all(reports)
  const first = Math.min(...all.map(({ firstMillis }) => firstMillis))
  const last = Math.max(...all.map(({ lastMillis }) => lastMillis))
  const sum = (of: (one: EngineReport) => number) => all.reduce((total, one) => total + of(one), 0)
  return {
    seconds: (last - first) / 1_000,
    cpuSeconds: sum((one) => one.cpuSeconds),
    wholeCpuSeconds: sum((one) => one.wholeCpuSeconds),
    peakRssMb: sum((one) => one.peakRssMb),
    records: sum((one) => one.records),
    firstMillis: first,
    lastMillis: last,
  }
}

const round = (value: number, digits = 0) => Math.round(value * 10 ** digits) / 10 ** digits

class Bench {
  readonly measured: Measured[] = []
  private readonly kafkaBrokers: string
  private readonly expected: string
  private readonly readings: number
  private runs = 0

  constructor(kafkaBrokers: string, expected: string, readings: number) {
    this.kafkaBrokers = kafkaBrokers
    this.expected = expected
    this.readings = readings
  }

  async meterloom(): Promise<void> {
    const { kafkaBrokers } = this
    this.runs += 1
    const out = `bench.windows.meterloom-${this.runs}`
    const log = await connectLog({ kafkaBrokers })
    const settings = { 'message.timestamp.type': 'LogAppendTime' }
    await log.createTopics([{ topic: out, partitions: PARTITIONS, settings }])
    const group = `bench-meterloom-${this.runs}`
    const { seconds, cpuSeconds, peakRssMb } = await ours(kafkaBrokers, out, group)
    this.add('meterloom', { seconds, cpuSeconds, peakRssMb }, out)
    await log.deleteTopics([out])
    await log.close()
  }

  /** `args`: the peer's name, then its flags. */
  peer(engine: string, ...args: readonly string[]): void {
    this.runs += 1
    const out = `bench.windows.peer-${this.runs}`
    const { line } = peers(this.kafkaBrokers, ...args, '--out', out)
    const { seconds, drainCpuSeconds, peakRssMb } = JSON.parse(line) as {
      seconds: number
      drainCpuSeconds: number
      peakRssMb: number
    }
    this.add(engine, { seconds, cpuSeconds: drainCpuSeconds, peakRssMb }, out)
    peers(this.kafkaBrokers, 'clean')
  }

  private add(
    engine: string,
    took: { seconds: number; cpuSeconds: number; peakRssMb: number },
    out: string,
  ): void {
    const check = peers(this.kafkaBrokers, 'check', out, '--expect', this.expected)
    const one = {
      engine,
      readings: this.readings,
      readingsPerSecond: round(this.readings / took.seconds),
      cpuSeconds: round(took.cpuSeconds, 2),
      peakRssMb: took.peakRssMb,
      match: check.ok,
    }
    this.measured.push(one)
    if (!flags.json) console.log(lineOf(one) + (check.ok ? '' : ` ${check.line}`))
  }

  async raw(): Promise<void> {
    const { kafkaBrokers } = this
    this.runs += 1
    const script = join(import.meta.dirname, 'engine-raw.ts')
    const options = JSON.stringify({ kafkaBrokers, input: INPUT, group: `bench-raw-${this.runs}` })
    const child = spawn(process.execPath, [script, options], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    for await (const chunk of child.stdout) text += String(chunk)
    const { seconds, cpuSeconds, peakRssMb } = JSON.parse(text) as EngineReport
    const one = {
      engine: 'raw kafkajs consumer',
      readings: this.readings,
      readingsPerSecond: round(this.readings / seconds),
      cpuSeconds: round(cpuSeconds, 2),
      peakRssMb,
      match: true,
    }
    this.measured.push(one)
    if (!flags.json) console.log(lineOf(one))
  }
}

function lineOf(one: Measured): string {
  const speed = `${String(one.readingsPerSecond).padStart(8)} readings/s`
  const cost = `${one.cpuSeconds.toFixed(2).padStart(6)} CPU s, ${one.peakRssMb} MB`
  return `${one.engine.padEnd(36)} ${speed} ${cost} ${one.match ? 'MATCH' : 'DIFFERENT'}`
}

function medians(all: readonly Measured[]): readonly Measured[] {
  return [...Map.groupBy(all, ({ engine }) => engine)].map(([engine, list]) => ({
    engine,
    readings: list[0]!.readings,
    readingsPerSecond: median(list.map((one) => one.readingsPerSecond)),
    cpuSeconds: median(list.map((one) => one.cpuSeconds)),
    peakRssMb: median(list.map((one) => one.peakRssMb)),
    match: list.every((one) => one.match),
  }))
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'meterloom-bench-'))
  const kafka = await startKafka()
  try {
    const { kafkaBrokers } = kafka
    peers(kafkaBrokers, 'build')
    peers(kafkaBrokers, 'load', flags.meters, flags.minutes)
    const expected = join(folder, 'expected')
    peers(kafkaBrokers, 'reference', '--save', expected)
    const log = await connectLog({ kafkaBrokers })
    const readings = (await log.endOffsets(INPUT)).reduce((sum, end) => sum + end)
    await log.close()
    const bench = new Bench(kafkaBrokers, expected, readings)
    const wants = (name: string) => flags.only === '' || flags.only === name
    for (let n = 0; n < Number(flags.rounds); n++) {
      if (wants('meterloom')) await bench.meterloom()
      if (wants('kafka-streams')) {
        for (const guarantee of ['exactly_once_v2', 'at_least_once']) {
          for (const ms of ['100', '1000']) {
            const settings = ['--guarantee', guarantee, '--commit-ms', ms]
            bench.peer(`kafka-streams ${guarantee} ${ms}ms`, 'kafka-streams', ...settings)
          }
        }
      }
      if (wants('flink')) bench.peer('flink exactly-once', 'flink', '--guarantee', 'exactly_once')
      if (wants('raw')) await bench.raw()
    }
    report(medians(bench.measured))
  } finally {
    await kafka.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

function report(engines: readonly Measured[]): void {
  if (flags.json) console.log(JSON.stringify({ engines }))
  else {
    console.log('medians:')
    const own = engines.find(({ engine }) => engine === 'meterloom')
    for (const one of engines) {
      const times = own === undefined ? NaN : own.readingsPerSecond / one.readingsPerSecond
      const share = own === undefined ? NaN : own.cpuSeconds / one.cpuSeconds
      const ratio = `meterloom ${times.toFixed(2)} times as fast, ${share.toFixed(2)} of its CPU`
      console.log(`${lineOf(one)}${one === own || own === undefined ? '' : `; ${ratio}`}`)
    }
  }
  if (!engines.every(({ match }) => match)) process.exitCode = 1
}

if (flags.help) console.log(HELP)
else await main()
