import { OracleSeries } from './series.ts'
import type { Observation, Row, SeriesRules } from './series.ts'
import { PANE } from './widths.ts'
import type { Width } from './widths.ts'

/**
 * The independent computation of what QuestDB must hold after a log: naive, from docs/design.md
 * section 2 alone, sharing no code with the engine. It keeps everything in Maps and computes every
 * row again from its samples.
 */

export interface OracleRecord {
  readonly partition: number
  readonly offset: number
  readonly appendMillis: number
  /** Whether it shows that a bridge is alive: a reading, a tick. Left out: it does. */
  readonly ofBridge?: boolean
  /** Null for a control record: it only moves append time. */
  readonly reading: {
    readonly tenant: string
    readonly meterId: string
    readonly at: number
    readonly seq: number | null
    readonly measurements: readonly {
      readonly channel: string
      readonly value: number
      readonly quality: Observation['quality']
    }[]
  } | null
}

export interface OracleRules {
  series(tenant: string, meterId: string, channel: string): SeriesRules
  disorderMicros(tenant: string, meterId: string): number
  readonly horizonMicros: number
  /** After how many expected intervals a meter is silent. Left out: never. */
  silentAfterIntervals?(tenant: string, meterId: string): number
}

export interface RawRow {
  readonly value: number
  readonly quality: string
  readonly seq: number | null
}

export interface BaselineRow {
  readonly centre: number
  readonly lower: number
  readonly upper: number
  readonly n: number
}

export interface AnomalyRow {
  readonly state: 'active' | 'retracted' | 'ended'
  readonly value: number
  readonly expected: number
  readonly lower: number | null
  readonly upper: number | null
  readonly pctChange: number | null
  readonly score: number | null
  readonly severity: string
  readonly run: number
}

/** Keys: `tenant|meterId|channel|at`, and `…|start|width` (and `|kind`). */
export interface OracleRows {
  readonly readings: Map<string, RawRow>
  readonly windows: Map<string, Row>
  readonly baselines: Map<string, BaselineRow>
  readonly anomalies: Map<string, AnomalyRow>
  beyondHorizon: number
}

interface Verdict {
  readonly median: number
  readonly bound: number
  readonly spread: number
  /** As last emitted. */
  spike: boolean
  value: number
}

interface SeriesState {
  readonly name: string
  readonly rules: SeriesRules
  readonly series: OracleSeries
  readonly ring: number[]
  /** 15 min windows with samples, in the order they closed. */
  readonly closed: { start: number; verdict: Verdict | undefined; run: number }[]
  /** `start|width` of restated windows and the append millis after which they are emitted. */
  readonly pending: Map<string, number>
  /** What each closed window that can still change was last known as. */
  readonly seen: Map<string, string>
  /** By width: the end of the last window that silence closed. */
  readonly silentTo: Map<string, number>
}

class OracleMeter {
  private newestAt = -Infinity
  /** The bridges' time when it last spoke, in microseconds. */
  private heardAt = 0
  private silent = false
  private readonly series = new Map<string, SeriesState>()
  private readonly rules: OracleRules
  private readonly rows: OracleRows

  constructor(rules: OracleRules, rows: OracleRows) {
    this.rules = rules
    this.rows = rows
  }

  watermark(disorder: number): number {
    return this.newestAt - disorder
  }

  take(
    reading: NonNullable<OracleRecord['reading']>,
    appendMillis: number,
    aliveMicros: number,
  ): void {
    const disorder = this.rules.disorderMicros(reading.tenant, reading.meterId)
    const before = this.watermark(disorder)
    if (this.silent) this.putSilence(reading.tenant, reading.meterId, aliveMicros, 'ended')
    this.silent = false
    this.heardAt = aliveMicros
    const late = reading.at < before - this.rules.horizonMicros
    for (const m of reading.measurements) {
      const state = this.stateOf(reading.tenant, reading.meterId, m.channel)
      const key = `${state.name}|${reading.at}`
      const raw = { value: m.value, quality: m.quality, seq: reading.seq }
      if (late) {
        this.rows.beyondHorizon++
        this.rows.readings.set(key, raw)
        continue
      }
      const closed = Math.max(before, ...state.silentTo.values())
      const courseBefore = closedCourse(state, closed)
      if (state.series.take({ at: reading.at, ...raw })) this.rows.readings.set(key, raw)
      // A register's new sample can also change windows that do not hold it.
      const inClosed = state.series.placeOf(reading.at) < closed
      if (inClosed || closedCourse(state, closed) !== courseBefore) {
        this.markChanged(state, before, appendMillis)
      }
    }
    this.newestAt = Math.max(this.newestAt, reading.at)
    const after = this.watermark(disorder)
    if (!(after > before)) return
    for (const state of this.series.values()) this.advance(state, before, after)
  }

  private stateOf(tenant: string, meterId: string, channel: string): SeriesState {
    let state = this.series.get(channel)
    if (state === undefined) {
      const rules = this.rules.series(tenant, meterId, channel)
      state = {
        name: `${tenant}|${meterId}|${channel}`,
        rules,
        series: new OracleSeries(rules),
        ring: [],
        closed: [],
        pending: new Map(),
        seen: new Map(),
        silentTo: new Map(),
      }
      this.series.set(channel, state)
    }
    return state
  }

  /** Finds the closed windows that are no longer what they were, and has them emitted again. */
  private markChanged(state: SeriesState, watermark: number, appendMillis: number): void {
    const course = state.series.course()
    const due = (Math.floor(appendMillis / 10_000) + 1) * 10_000
    const { boundary } = state.series
    for (const width of state.series.widths) {
      const upTo = Math.max(watermark, state.silentTo.get(width.name) ?? -Infinity)
      const starts = new Set(state.series.starts(width, boundary, upTo, course))
      for (const id of state.seen.keys()) {
        if (id.endsWith(`|${width.name}`)) starts.add(parseInt(id, 10))
      }
      for (const start of starts) {
        if (width.holding(start)[1] <= boundary) continue
        const id = `${start}|${width.name}`
        const now = fingerprint(state.series.row(width, start, course))
        if (state.seen.get(id) === now) continue
        state.seen.set(id, now)
        if (!state.pending.has(id)) state.pending.set(id, due)
      }
    }
  }

  /** Emits what was restated and is due. */
  emitDue(appendMillis: number): void {
    for (const state of this.series.values()) {
      const course = state.series.course()
      let changed = Infinity
      for (const [id, due] of state.pending) {
        if (due > appendMillis) continue
        state.pending.delete(id)
        const [start, width] = [parseInt(id, 10), id.split('|')[1]!]
        const row = state.series.row(widthOf(state, width), start, course)
        const key = `${state.name}|${start}|${width}`
        if (row.count > 0 || row.energyWh !== null || this.rows.windows.has(key)) {
          this.rows.windows.set(key, row)
        }
        if (width !== '15m') continue
        const closed = state.closed.find((c) => c.start === start)
        if (closed?.verdict === undefined || row.count === 0) continue
        closed.verdict.value = valueOf(state.rules, row)
        closed.verdict.spike = isSpike(closed.verdict)
        changed = Math.min(changed, state.closed.indexOf(closed))
      }
      if (changed < Infinity) this.judge(state, changed)
    }
  }

  private advance(state: SeriesState, before: number, after: number): void {
    const { series } = state
    for (const width of series.widths) this.closeBetween(state, width, before, after)
    const horizon = after - this.rules.horizonMicros
    const boundary = Math.floor(horizon / PANE) * PANE
    if (boundary <= series.boundary) return
    this.settlePending(state, boundary)
    series.freeze(boundary)
    const hour = Math.floor(boundary / (4 * PANE)) * 4 * PANE
    series.forget(hour - series.shiftMicros)
    for (const id of state.seen.keys()) {
      if (endOf(state, id) <= boundary) state.seen.delete(id)
    }
  }

  /**
   * Closes the windows that end in (after, upTo], hold something and were not closed by silence.
   * Answers the end of the last.
   */
  private closeBetween(
    state: SeriesState,
    width: Width,
    after: number,
    upTo: number,
  ): number | undefined {
    const { series } = state
    const course = series.course()
    const open = Math.max(after, state.silentTo.get(width.name) ?? -Infinity)
    let end: number | undefined
    for (const start of series.starts(width, open, upTo, course)) {
      const row = series.row(width, start, course)
      end = width.holding(start)[1]
      state.seen.set(`${start}|${width.name}`, fingerprint(row))
      this.rows.windows.set(`${state.name}|${start}|${width.name}`, row)
      if (width.name === '15m' && row.count > 0) this.firstKnown(state, row)
    }
    return end
  }

  /** The bridges' time has gone on: who says nothing for too long has its windows closed. */
  passSilence(tenant: string, meterId: string, aliveMicros: number): void {
    const intervals = this.rules.silentAfterIntervals?.(tenant, meterId)
    if (intervals === undefined) return
    const after = Math.max(120e6, Math.round(intervals * this.intervalMicros()))
    const silentFor = aliveMicros - this.heardAt
    if (!(silentFor >= after)) return
    if (!this.silent) {
      this.silent = true
      this.putSilence(tenant, meterId, this.heardAt + after, 'active')
    }
    const watermark = this.watermark(this.rules.disorderMicros(tenant, meterId))
    for (const state of this.series.values()) {
      for (const width of state.series.widths) {
        const end = this.closeBetween(state, width, watermark, watermark + silentFor)
        if (end !== undefined) state.silentTo.set(width.name, end)
      }
    }
  }

  /** The shortest expected interval of its series; NaN while none is known. */
  private intervalMicros(): number {
    const known = [...this.series.values()].flatMap(({ series }) => series.expectedMicros ?? [])
    return known.length === 0 ? NaN : Math.min(...known)
  }

  private putSilence(
    tenant: string,
    meterId: string,
    aliveMicros: number,
    state: 'active' | 'ended',
  ): void {
    this.rows.anomalies.set(`${tenant}|${meterId}|*|${this.newestAt}|*|silence`, {
      state,
      value: (aliveMicros - this.heardAt) / 1e6,
      expected: this.intervalMicros() / 1e6,
      lower: null,
      upper: null,
      pctChange: null,
      score: null,
      severity: 'medium',
      run: 0,
    })
  }

  /** What is restated and about to freeze is emitted as it stands. */
  private settlePending(state: SeriesState, boundary: number): void {
    for (const [id] of state.pending) {
      if (endOf(state, id) <= boundary) state.pending.set(id, -Infinity)
    }
    this.emitDue(-Infinity)
  }

  private firstKnown(state: SeriesState, row: Row): void {
    const value = valueOf(state.rules, row)
    const n = state.ring.length
    let verdict: Verdict | undefined
    if (n >= 24) {
      const median = medianOf(state.ring)
      const mad = medianOf(state.ring.map((x) => Math.abs(x - median)))
      const spread = 3.5 * 1.4826 * Math.max(mad, 1e-9)
      const bound = Math.max(spread, 0.5 * Math.abs(median))
      verdict = { median, bound, spread, spike: false, value }
      verdict.spike = isSpike(verdict)
      this.rows.baselines.set(`${state.name}|${row.start}|15m|rolling`, {
        centre: median,
        lower: median - spread,
        upper: median + spread,
        n,
      })
    }
    state.ring.push(value)
    if (n === 96) state.ring.shift()
    state.closed.push({ start: row.start, verdict, run: 0 })
    this.judge(state, state.closed.length - 1)
  }

  /** Writes the verdicts from the window `from` on anew. */
  private judge(state: SeriesState, from: number): void {
    let run = state.closed[from - 1]?.run ?? 0
    for (const window of state.closed.slice(from)) {
      const { start, verdict } = window
      run = verdict?.spike === true ? run + 1 : 0
      window.run = run
      if (verdict === undefined) continue
      const d = Math.abs(verdict.value - verdict.median)
      const common = {
        value: verdict.value,
        expected: verdict.median,
        lower: verdict.median - verdict.spread,
        upper: verdict.median + verdict.spread,
        pctChange:
          verdict.median === 0
            ? null
            : (100 * (verdict.value - verdict.median)) / Math.abs(verdict.median),
        score: d / (d + verdict.bound),
        run,
      }
      const severity = d > 2 * verdict.bound ? 'high' : 'medium'
      const key = `${state.name}|${start}|15m`
      this.put(`${key}|energy_spike`, run >= 1, { ...common, severity })
      this.put(`${key}|consecutive_anomalies`, run >= 3, { ...common, severity: 'high' })
    }
  }

  private put(key: string, active: boolean, row: Omit<AnomalyRow, 'state'>): void {
    if (active) this.rows.anomalies.set(key, { ...row, state: 'active' })
    else if (this.rows.anomalies.get(key)?.state === 'active') {
      this.rows.anomalies.set(key, { ...row, state: 'retracted' })
    }
  }
}

function isSpike(v: Verdict): boolean {
  const d = Math.abs(v.value - v.median)
  return d > v.spread && d >= 0.5 * Math.abs(v.median)
}

function valueOf(rules: SeriesRules, row: Row): number {
  return rules.kind === 'cumulative' ? (row.energyWh ?? NaN) : row.mean!
}

function medianOf(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort()
  const half = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}

function widthOf(state: SeriesState, name: string): Width {
  return state.series.widths.find((width) => width.name === name)!
}

/** Where the window `start|width` ends. */
function endOf(state: SeriesState, id: string): number {
  const [start, width] = id.split('|')
  return widthOf(state, width!).holding(Number(start))[1]
}

/** The part of a register's course that closed windows may have, as text. */
function closedCourse(state: SeriesState, watermark: number): string {
  const course = state.series.course().filter((stretch) => stretch.from < watermark)
  return course.map((s) => `${s.from} ${s.to} ${s.energyWh}`).join()
}

/** What makes a restatement: everything but what is learned meanwhile. */
function fingerprint(row: Row): string {
  const { count, sum, min, max, first, last, stddev, estimated } = row
  // A course that was settled meanwhile gives the same energy by another way of adding.
  const energyWh = row.energyWh?.toPrecision(10)
  return JSON.stringify([count, sum, min, max, first, last, stddev, energyWh, estimated])
}

interface OraclePartition {
  append: number
  /** How long bridges were alive, in microseconds: of each gap at most 30 s. */
  alive: number
  /** Append time at the last record of a bridge. */
  bridge: number
  readonly meters: Map<string, OracleMeter>
}

function passAlive(partition: OraclePartition): void {
  const gap = (partition.append - partition.bridge) * 1_000
  partition.bridge = partition.append
  if (!(gap > 0)) return
  partition.alive += Math.min(30e6, gap)
  for (const [key, meter] of partition.meters) {
    const [tenant, ...rest] = key.split('/')
    meter.passSilence(tenant!, rest.join('/'), partition.alive)
  }
}

/** Records of all partitions, each partition in the order of its offsets. */
export function oracle(records: Iterable<OracleRecord>, rules: OracleRules): OracleRows {
  const rows: OracleRows = {
    readings: new Map(),
    windows: new Map(),
    baselines: new Map(),
    anomalies: new Map(),
    beyondHorizon: 0,
  }
  const partitions = new Map<number, OraclePartition>()
  for (const record of records) {
    let partition = partitions.get(record.partition)
    if (partition === undefined) {
      partition = { append: -Infinity, alive: 0, bridge: NaN, meters: new Map() }
      partitions.set(record.partition, partition)
    }
    const before = Math.floor(partition.append / 10_000)
    partition.append = Math.max(partition.append, record.appendMillis)
    if (Math.floor(partition.append / 10_000) > before) {
      for (const meter of partition.meters.values()) meter.emitDue(partition.append)
    }
    if (record.ofBridge !== false) passAlive(partition)
    if (record.reading === null) continue
    const key = `${record.reading.tenant}/${record.reading.meterId}`
    let meter = partition.meters.get(key)
    if (meter === undefined) {
      meter = new OracleMeter(rules, rows)
      partition.meters.set(key, meter)
    }
    meter.take(record.reading, partition.append, partition.alive)
  }
  return rows
}
