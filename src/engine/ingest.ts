import type { Micros } from '../kernel/time.ts'
import { LIMITS } from '../kernel/limits.ts'
import { QUALITIES } from '../schemas/records.ts'
import type { Sample, SeriesNode } from './nodes.ts'
import { Course } from './register.ts'
import type { Settled } from './register.ts'
import { SeriesTable } from './series.ts'
import { CombineState, emptySettled, WindowState } from './windows.ts'
import type { Cause, Emit } from './windows.ts'

const BAD = 3

/** What a task counts; the runtime makes metrics of it. */
export interface TaskCounts {
  records: number
  measurements: number
  duplicates: number
  bad: number
  beyondHorizon: number
  restated: number
  unreadable: number
  crowdedOut: number
}

export const noCounts = (): TaskCounts => ({
  records: 0,
  measurements: 0,
  duplicates: 0,
  bad: 0,
  beyondHorizon: 0,
  restated: 0,
  unreadable: 0,
  crowdedOut: 0,
})

interface Pending {
  readonly slot: number
  readonly start: Micros
  readonly micros: Micros
  readonly state: WindowState | CombineState
  revision: number
}

class SampleView implements Sample {
  tenant = ''
  meterId = ''
  channel = ''
  at = 0
  value = 0
  quality = ''
  seq = NaN
}

/**
 * Takes measurements in, closes windows by each meter's own time, and restates what late ones change: the
 * law of docs/design.md, section 2.
 */
export class Ingest {
  readonly table: SeriesTable
  readonly windows: WindowState[]
  readonly combines: CombineState[]
  readonly counts: TaskCounts
  emitSample: Emit<Sample> = () => undefined
  private readonly node: SeriesNode
  private readonly cause: Cause
  private readonly course = new Course()
  private readonly courseBefore = new Course()
  private readonly settled: Settled = emptySettled()
  private readonly sample = new SampleView()
  private readonly pending = new Map<string, Pending>()
  /** The narrowest and the widest of the windows that are computed from samples. */
  private readonly narrowest: Micros
  private readonly widest: Micros

  constructor(
    node: SeriesNode,
    table: SeriesTable,
    windows: WindowState[],
    combines: CombineState[],
    cause: Cause,
    counts: TaskCounts,
  ) {
    this.node = node
    this.table = table
    this.windows = windows.toSorted((a, b) => a.micros - b.micros)
    this.combines = combines
    this.cause = cause
    this.counts = counts
    this.narrowest = this.windows[0]?.micros ?? Infinity
    this.widest = this.windows.at(-1)?.micros ?? 1
  }

  watermarkOf(meter: number): Micros {
    const c = this.table.meters.columns
    return c.newestAt.get(meter) - c.disorder.get(meter)
  }

  /** One measurement, while the meter's watermark is still what it was before its record. */
  take(meter: number, slot: number, at: Micros, value: number, seq: number, quality: number): void {
    const { table, counts } = this
    const { samples } = table
    const watermark = this.watermarkOf(meter)
    counts.measurements++
    if (quality === BAD) counts.bad++
    if (at < watermark - this.node.horizonMicros) {
      counts.beyondHorizon++
      this.emitRaw(meter, slot, at, value, seq, quality)
      return
    }
    table.learn(slot, at)
    const index = samples.lowerBound(slot, at)
    const exists = index < samples.count(slot) && samples.atOf(slot, index) === at
    if (exists && !this.wins(slot, index, value, seq, quality)) {
      counts.duplicates++
      return
    }
    const register = table.isRegister(slot)
    const touchesClosed =
      at - table.shiftOf(slot) < watermark ||
      (register && !this.followsCleanly(slot, index, value, watermark))
    if (touchesClosed && register) this.buildCourse(slot, this.courseBefore)
    const wasCounted = exists && samples.qualityOf(slot, index) !== BAD
    if (exists) samples.replace(slot, index, at, value, seq, quality)
    else this.insert(slot, index, at, value, seq, quality)
    if (touchesClosed && (wasCounted || quality !== BAD)) this.markChanged(slot, at, watermark)
    this.emitRaw(meter, slot, at, value, seq, quality)
  }

  /** Whether a new measurement takes the place of a known one: higher seq, better quality, later in the log. */
  private wins(slot: number, index: number, value: number, seq: number, quality: number): boolean {
    const { samples } = this.table
    const knownSeq = samples.seqOf(slot, index)
    if (seq !== knownSeq) return seq > knownSeq
    const known = samples.qualityOf(slot, index)
    if (quality !== known) return quality < known
    // The very same again changes nothing, so nothing needs to be written.
    return !Object.is(value, samples.valueOf(slot, index))
  }

  private insert(
    slot: number,
    index: number,
    at: Micros,
    value: number,
    seq: number,
    quality: number,
  ): void {
    const { samples } = this.table
    if (samples.insert(slot, index, at, value, seq, quality)) return
    // A series that says more than memory is meant for loses the oldest part of its horizon.
    const dropped = LIMITS.samplesPerSeriesMax / 8
    samples.dropFirst(slot, dropped)
    this.counts.crowdedOut += dropped
    samples.insert(slot, samples.lowerBound(slot, at), at, value, seq, quality)
  }

  /** The usual case of a register: the newest, not below the last, and no closed window between them. */
  private followsCleanly(slot: number, index: number, value: number, watermark: Micros): boolean {
    const { samples } = this.table
    const count = samples.count(slot)
    if (count < 2 || index !== count) return false
    const last = samples.valueOf(slot, count - 1)
    const closed = Math.floor(watermark / this.narrowest) * this.narrowest
    return (
      value >= last &&
      last >= samples.valueOf(slot, count - 2) &&
      samples.qualityOf(slot, count - 1) !== BAD &&
      samples.qualityOf(slot, count - 2) !== BAD &&
      samples.atOf(slot, count - 1) >= closed
    )
  }

  private buildCourse(slot: number, course: Course): Course {
    const settled = this.table.settledOf(slot, this.settled)
    return course.build(this.table.samples, slot, settled, this.table.rulesOf(slot))
  }

  private courseOf(slot: number): Course | null {
    return this.table.isRegister(slot) ? this.buildCourse(slot, this.course) : null
  }

  /** Notes the closed windows that a measurement has changed: they are emitted again when they are due. */
  private markChanged(slot: number, at: Micros, watermark: Micros): void {
    const place = at - this.table.shiftOf(slot)
    const course = this.courseOf(slot)
    const changed = course?.differenceTo(this.courseBefore)
    const boundary = this.table.series.columns.boundary.get(slot)
    for (const state of this.windows) {
      const { micros } = state
      const first = changed === undefined ? place : Math.min(place, changed[0])
      const last = changed === undefined ? place : Math.max(place, changed[1])
      const closed = Math.floor(watermark / micros) * micros
      const from = Math.max(Math.floor(first / micros) * micros, boundary)
      for (let start = from; start <= last && start < closed; start += micros) {
        this.mark(slot, start, state)
        state.refresh(slot, start, course)
        for (const combine of state.combines) this.markCombined(slot, start, combine, watermark)
      }
    }
  }

  private markCombined(slot: number, start: Micros, state: CombineState, watermark: Micros): void {
    const whole = Math.floor(start / state.micros) * state.micros
    if (whole + state.micros <= watermark) this.mark(slot, whole, state)
  }

  private mark(slot: number, start: Micros, state: WindowState | CombineState): void {
    const key = `${slot}|${state.node.id}|${start}`
    const found = this.pending.get(key)
    const { revision } = this.cause
    if (found !== undefined) {
      found.revision = revision
      return
    }
    this.pending.set(key, { slot, start, micros: state.micros, state, revision })
    const { pending } = this.table.series.columns
    pending.set(slot, pending.get(slot) + 1)
  }

  /** Emits the restated windows, in the order in which they were first changed. */
  emitRestated(only?: { slot: number; before: Micros }): void {
    for (const [key, entry] of this.pending) {
      if (only !== undefined) {
        if (entry.slot !== only.slot || entry.start + entry.micros > only.before) continue
      }
      this.pending.delete(key)
      const { pending } = this.table.series.columns
      pending.set(entry.slot, pending.get(entry.slot) - 1)
      this.counts.restated++
      if (entry.state instanceof CombineState) {
        entry.state.restate(entry.slot, entry.start, entry.revision)
      } else {
        entry.state.restate(entry.slot, entry.start, this.courseOf(entry.slot), entry.revision)
      }
    }
  }

  /** The meter's newest time moves: its windows close, and what is behind the horizon freezes. */
  advance(meter: number, newestAt: Micros): void {
    const c = this.table.meters.columns
    const known = c.newestAt.get(meter)
    if (newestAt <= known) return
    const before = known - c.disorder.get(meter)
    const after = newestAt - c.disorder.get(meter)
    const { narrowest, widest } = this
    const closes = Math.floor(before / narrowest) !== Math.floor(after / narrowest)
    if (closes) this.closeAll(meter, before, after)
    c.newestAt.set(meter, newestAt)
    if (!closes) return
    const boundary = Math.floor((after - this.node.horizonMicros) / widest) * widest
    this.freezeAll(meter, boundary)
  }

  private closeAll(meter: number, before: Micros, after: Micros): void {
    const { next } = this.table.series.columns
    let slot = this.table.meters.columns.first.get(meter)
    for (; slot >= 0; slot = next.get(slot)) {
      const course = this.courseOf(slot)
      for (const state of this.windows) state.close(slot, before, after, course, this.cause)
    }
  }

  private freezeAll(meter: number, boundary: Micros): void {
    const c = this.table.series.columns
    let slot = this.table.meters.columns.first.get(meter)
    for (; slot >= 0; slot = c.next.get(slot)) {
      if (boundary <= c.boundary.get(slot)) continue
      if (c.pending.get(slot) > 0) this.emitRestated({ slot, before: boundary })
      const { samples } = this.table
      let keepFrom = boundary - this.table.shiftOf(slot)
      if (this.table.isRegister(slot)) {
        const course = this.buildCourse(slot, this.course)
        course.settle(this.settled, boundary)
        this.table.saveSettled(slot, this.settled)
        // What follows the last good sample is not decided yet.
        keepFrom = Math.min(boundary, isNaN(this.settled.at) ? -Infinity : this.settled.at + 1)
      }
      c.boundary.set(slot, boundary)
      samples.dropFirst(slot, samples.lowerBound(slot, keepFrom))
    }
  }

  private emitRaw(
    meter: number,
    slot: number,
    at: Micros,
    value: number,
    seq: number,
    quality: number,
  ): void {
    const { sample, table } = this
    sample.tenant = table.tenants[meter]!
    sample.meterId = table.meterIds[meter]!
    sample.channel = table.channelOf(slot)
    sample.at = at
    sample.value = value
    sample.seq = seq === -Infinity ? NaN : seq
    sample.quality = QUALITIES[quality]!
    this.emitSample(slot, sample)
  }
}
