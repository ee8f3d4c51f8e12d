import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Load } from './bridge-readings.ts'
import { cpuSeconds, residentMb } from '../support/processes.ts'

/** One run of the load, and what the processes that served it took meanwhile. */
export interface Outcome {
  readonly connections: number
  readonly acknowledged: number
  readonly acknowledgedPerSecond: number
  /** CPU of the measured processes for one reading. */
  readonly cpuMicros: number
  readonly residentMb: number
  readonly latencyMsP50: number
  readonly latencyMsP99: number
  readonly resent: number
  readonly loadCpuMicros: number
}

interface LoadReport {
  readonly acknowledged: number
  readonly seconds: number
  readonly resent: number
  readonly loadCpuMicros: number
  readonly latencyMsP50: number
  readonly latencyMsP99: number
}

export interface Measured {
  /** Of those that are alive; asked at each end of the run. */
  pids(): readonly number[]
  /** Called once, when half is acknowledged. */
  atHalf?(): Promise<void>
}

const LOAD = join(import.meta.dirname, 'bridge-load.ts')

/** Runs the load to its end. */
export async function runLoad(load: Load, measured: Measured): Promise<Outcome> {
  const child = spawn(process.execPath, [LOAD, JSON.stringify(load)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  try {
    return await follow(child, load, measured)
  } finally {
    child.kill('SIGKILL')
  }
}

async function follow(child: ChildProcess, load: Load, measured: Measured): Promise<Outcome> {
  let before = 0
  let atHalf = Promise.resolve()
  let report: LoadReport | undefined
  for await (const line of createInterface(child.stdout!)) {
    if (line === 'open') {
      before = cpuSeconds(measured.pids())
      child.stdin!.write('go\n')
    } else if (line === 'half') {
      atHalf = measured.atHalf?.() ?? atHalf
    } else {
      report = JSON.parse(line) as LoadReport
      break
    }
  }
  await atHalf
  if (report === undefined) throw new Error('the load ended before its readings were acknowledged')
  const cpu = cpuSeconds(measured.pids()) - before
  return {
    connections: load.connections,
    acknowledged: report.acknowledged,
    acknowledgedPerSecond: Math.round(report.acknowledged / report.seconds),
    cpuMicros: round((cpu * 1e6) / load.readings),
    residentMb: Math.round(residentMb(measured.pids())),
    latencyMsP50: round(report.latencyMsP50),
    latencyMsP99: round(report.latencyMsP99),
    resent: report.resent,
    loadCpuMicros: round(report.loadCpuMicros),
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

/** Ends it by force; resolves when it is gone. */
export async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}
