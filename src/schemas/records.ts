import type { Micros } from '../kernel/time.ts'

/** The records on the log, one interface for each file in `schemas/`, field by field. */

export type Quality = 'MEASURED' | 'ESTIMATED' | 'SUSPECT' | 'BAD'

/** By the code that Avro gives the enum: 0 is the best, 3 the worst. */
export const QUALITIES: readonly Quality[] = ['MEASURED', 'ESTIMATED', 'SUSPECT', 'BAD']

export interface Measurement {
  channel: string
  value: number
  quality: Quality
}

export interface Reading {
  tenant: string
  meterId: string
  at: Micros
  seq: number | null
  measurements: Measurement[]
}

export interface WindowRecord {
  tenant: string
  meterId: string
  channel: string
  width: string
  start: Micros
  end: Micros
  count: number
  expected: number | null
  completeness: number | null
  sum: number | null
  min: number | null
  max: number | null
  mean: number | null
  first: number | null
  last: number | null
  stddev: number | null
  energyWh: number | null
  estimated: boolean
  revision: number
}

export interface AnomalyRecord {
  tenant: string
  meterId: string
  channel: string
  width: string
  kind: string
  start: Micros
  end: Micros
  score: number | null
  pctChange: number | null
  expected: number | null
  lower: number | null
  upper: number | null
  value: number | null
  severity: string
  state: string
  run: number
  revision: number
}

export interface ControlRecord {
  kind: string
  source: string
  table: string | null
  offset: number | null
  body: Buffer | null
}

export interface DeadLetter {
  receivedAt: Micros
  source: string
  mqttTopic: string
  clientId: string
  tenant: string | null
  meterId: string | null
  reason: string
  detail: string
  element: number | null
  length: number
  sha256: string
  bytes: Buffer
}

/** What a window of a series gives to totals across meters, or what time it is in a partition. */
export interface Contribution {
  kind: 'pane' | 'clock' | 'silent' | 'back'
  tenant: string
  meterId: string
  channel: string
  place: string | null
  width: string
  start: Micros
  value: number | null
  energyWh: number | null
  /** Append time of the reading that made it, milliseconds UTC. */
  appended: number
}

/** Samples of a meter came too late for their windows; or a window of panes that were repaired. */
export interface RepairRequest {
  tenant: string
  meterId: string
  from: Micros
  to: Micros
  partition: number
  offset: number
  /** Both null where it is about samples. */
  channel: string | null
  width: string | null
}

/** A window as it would have been had nothing come late. */
export interface RepairedWindow {
  width: string
  start: Micros
  count: number
  sum: number | null
  min: number | null
  max: number | null
  first: number | null
  last: number | null
  stddev: number | null
  energyWh: number | null
  estimated: boolean
}

/** The body of a control record of kind `repair`. */
export interface RepairResult {
  tenant: string
  meterId: string
  channel: string
  /** The offset up to which raw rows were read. */
  basis: number
  windows: RepairedWindow[]
}

/** SPEC.md of the benchmark's peers; nothing else uses it. */
export interface BenchWindowRecord {
  tenant: string
  meterId: string
  channel: string
  start: Micros
  end: Micros
  count: number
  sum: number
  min: number
  max: number
  mean: number
  first: number
  last: number
  baselineMedian: number | null
  baselineMad: number | null
  spike: boolean
  consecutive: number
}

export interface Records {
  reading: Reading
  'bench-window': BenchWindowRecord
  window: WindowRecord
  anomaly: AnomalyRecord
  control: ControlRecord
  'dead-letter': DeadLetter
  contribution: Contribution
  'repair-request': RepairRequest
  'repair-result': RepairResult
}
