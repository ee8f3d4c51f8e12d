import { type Micros, minutes } from '../kernel/time.ts'
import type { Sample, SeriesNode } from './nodes.ts'
import type { CombineState } from './combined.ts'
import type { TaskCounts } from './counts.ts'
import { commonMultiple, floorTo } from './grid.ts'
import { Course, type Settled } from './register.ts'
import { Marking } from './marking.ts'
import { rulesOf, saveSettled, settledOf } from './register-state.ts'
import { Restater } from './restater.ts'
import { insert, SampleView, wins } from './sample.ts'
import { SeriesTable } from './series.ts'
import { emptySettled } from './windows.ts'
import type { Cause, Emit, WidthState, WindowState } from './windows.ts'
import { emitClosed, SilentClosing } from './time/silent-closing.ts'

const [BAD, NONE] = [3, -1]
/** Samples are forgotten by this much at a time where no window says otherwise. */
const STEP_WITHOUT_WINDOWS = minutes(15)

/** A sample of a meter has come too late for its windows. */
export type LateSample = (meter: number, at: Micros) => void

/** What of a series ends at or before `boundary` can change no more. */
export type FrozenSeries = (slot: number, boundary: Micros) => void

export interface IngestOptions {
  readonly node: SeriesNode
  readonly table: SeriesTable
  readonly windows: readonly WindowState[]
  readonly combines: readonly CombineState[]
  /** Sliding windows and joins. */
  readonly items: readonly WidthState[]
  readonly cause: Cause
  readonly counts: TaskCounts
  /** Undefined where nobody wants them. */
  readonly emitSample: Emit<Sample> | undefined
  readonly late: LateSample
  readonly frozen: FrozenSeries
}

/**
 * Takes measurements in, closes windows by each meter's own time, and restates what late ones
 * change: the law of docs/design.md, section 2.
 */
export class Ingest {
  private readonly options: IngestOptions
  private readonly table: SeriesTable
  private readonly counts: TaskCounts
  private readonly course = new Course()
  private readonly courseBefore = new Course()
  private readonly settled: Settled = emptySettled()
  private readonly sample = new SampleView()
  /** The series that `course` is of. */
  private courseSlot = NONE
  /** All widths, ascending. */
  readonly widths: readonly WidthState[]
  readonly restater: Restater
  /** Where windows of silent meters close; undefined where nobody is taken for silent. */
  readonly closing: SilentClosing | undefined
  private readonly marking: Marking
  private readonly horizon: Micros
  private readonly narrowest: Micros
  /**
   * Samples freeze by whole windows of each width that is computed from them: none freezes in part.
   */
  private readonly frozenStep: Micros

  constructor(options: IngestOptions) {
    const { node, table, windows, combines, items, cause, counts } = options
    const { courseBefore } = this
    this.options = options
    this.table = table
    this.horizon = node.lateness.horizon
    this.counts = counts
    this.widths = [...windows, ...combines, ...items].sort((a, b) => a.micros - b.micros)
    this.narrowest = Math.min(...this.widths.map((w) => w.step))
    if (this.widths.length === 0) this.narrowest = STEP_WITHOUT_WINDOWS
    const steps = windows.map((w) => w.micros)
    this.frozenStep = steps.reduce(commonMultiple, steps[0] ?? STEP_WITHOUT_WINDOWS)
    const courseOf = (slot: number) => this.courseOf(slot)
    this.restater = new Restater({ table, widths: this.widths, cause, counts, courseOf })
    if (node.lateness.silence !== undefined) {
      this.closing = new SilentClosing({ table, widths: this.widths, cause, courseOf })
    }
    const { widths, restater, closing } = this
    this.marking = new Marking({ table, widths, restater, closing, courseBefore })
  }

  /** One measurement, while the meter's watermark is still what it was before its record. */
  take(meter: number, slot: number, at: Micros, value: number, seq: number, quality: number): void {
    const { table, counts } = this
    const { samples } = table
    const watermark = table.watermarkOf(meter)
    counts.measurements++
    if (quality === BAD) counts.bad++
    if (at < watermark - this.horizon) {
      counts.beyondHorizon++
      this.options.late(meter, at)
      // Nobody knows any more whether it takes the place of another.
      this.emitRaw(meter, slot, at, value, seq, quality, true)
      return
    }
    const count = samples.count(slot)
    const index = table.learn(slot, at) ? count : samples.lowerBound(slot, at)
    const exists = index < count && samples.atOf(slot, index) === at
    if (exists && !wins(samples, slot, index, value, seq, quality)) {
      counts.duplicates++
      return
    }
    const wasCounted = exists && samples.qualityOf(slot, index) !== BAD
    const counted = quality !== BAD
    const changes =
      wasCounted !== counted || (counted && !Object.is(samples.valueOf(slot, index), value))
    const register = table.isRegister(slot)
    // Silence may have closed windows that the meter's own time has not reached.
    const closed = Math.max(watermark, table.meters.columns.ahead.get(meter))
    const touchesClosed =
      (exists ? changes : counted) &&
      (at - table.shiftOf(slot) < closed ||
        (register && !this.followsCleanly(slot, index, value, closed)))
    if (touchesClosed && register) this.buildCourse(slot, this.courseBefore)
    if (exists) samples.replace(slot, index, at, value, seq, quality)
    else counts.crowdedOut += insert(samples, slot, index, at, value, seq, quality)
    this.courseSlot = NONE
    if (touchesClosed) {
      this.marking.mark({ slot, at, watermark, wasCounted }, this.courseOf(slot))
    }
    this.emitRaw(meter, slot, at, value, seq, quality, exists)
  }

  /**
   * The usual case of a register: the newest, not below the last, and no closed window between
   * them.
   */
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
    const settled = settledOf(this.table, slot, this.settled)
    return course.build(this.table.samples, slot, settled, rulesOf(this.table, slot))
  }

  /** The course of a register as it is known now, else null. */
  courseOf(slot: number): Course | null {
    if (!this.table.isRegister(slot)) return null
    if (this.courseSlot !== slot) this.buildCourse(slot, this.course)
    this.courseSlot = slot
    return this.course
  }

  /** A slot is another series' now. */
  forgetCourse(): void {
    this.courseSlot = NONE
  }

  /** Append time has passed the next whole ten seconds: what was restated is emitted. */
  emitRestated(): void {
    this.forgetCourse()
    this.restater.emitAll()
  }

  /** The meter's newest time moves: its windows close, and what is behind the horizon freezes. */
  advance(meter: number, newestAt: Micros): void {
    const c = this.table.meters.columns
    const known = c.newestAt.get(meter)
    if (newestAt <= known) return
    const before = known - c.disorder.get(meter)
    const after = newestAt - c.disorder.get(meter)
    if (after >= c.due.get(meter)) {
      this.closeAll(meter, before, after)
      this.freezeAll(meter, after)
    }
    c.newestAt.set(meter, newestAt)
  }

  /** Closes what ends in (before, after]: by series, width and start, whatever was known first. */
  private closeAll(meter: number, before: Micros, after: Micros): void {
    const { next } = this.table.series.columns
    let slot = this.table.meters.columns.first.get(meter)
    for (; slot >= 0; slot = next.get(slot)) {
      for (let width = 0; width < this.widths.length; width++) {
        this.close(slot, width, before, after)
      }
    }
  }

  private close(slot: number, width: number, before: Micros, after: Micros): void {
    const state = this.widths[width]!
    const closed = Math.max(before, this.closing?.closedTo(slot, width) ?? -Infinity)
    let start = state.firstHolding(slot, closed)
    if (state.endOf(slot, start) > after) return
    const course = this.courseOf(slot)
    start = state.next(slot, start, course)
    while (state.endOf(slot, start) <= after) {
      emitClosed(slot, state, start, course, this.options.cause)
      start = state.next(slot, state.following(slot, start), course)
    }
  }

  /** What lies behind the horizon can change no more; says when to look again. */
  private freezeAll(meter: number, watermark: Micros): void {
    const { table, frozenStep, horizon } = this
    const boundary = floorTo(watermark - horizon, frozenStep)
    const { next } = table.series.columns
    const first = table.meters.columns.first.get(meter)
    // A shifted sample's window begins that much earlier, and is kept that much longer.
    const boundaryOf = (slot: number) => {
      const shift = table.shiftOf(slot)
      return shift === 0 ? boundary : floorTo(watermark - horizon - shift, frozenStep)
    }
    // What joins two series needs the samples of both.
    for (let slot = first; slot >= 0; slot = next.get(slot)) {
      this.restater.emitBehind(slot, boundaryOf(slot))
    }
    for (let slot = first; slot >= 0; slot = next.get(slot)) {
      const own = boundaryOf(slot)
      if (own > table.series.columns.boundary.get(slot)) this.freeze(slot, own)
    }
    const closes = floorTo(watermark, this.narrowest) + this.narrowest
    const freezes = Math.min(boundary + frozenStep + horizon, closes)
    table.meters.columns.due.set(meter, freezes)
  }

  private freeze(slot: number, boundary: Micros): void {
    const { table } = this
    const { samples } = table
    const before = table.series.columns.boundary.get(slot)
    const course = this.courseOf(slot)
    for (const combine of this.options.combines) combine.freeze(slot, before, boundary, course)
    const from = boundary + table.shiftOf(slot)
    let keepFrom = from
    if (course !== null) {
      course.settle(settledOf(table, slot, this.settled), boundary)
      saveSettled(table, slot, this.settled)
      // What follows the last good sample is not decided yet.
      keepFrom = isNaN(this.settled.at) ? -Infinity : Math.min(boundary, this.settled.at + 1)
    }
    table.series.columns.boundary.set(slot, boundary)
    for (const { items } of this.options.items) {
      keepFrom = Math.min(keepFrom, from - items!.keeps(slot))
    }
    samples.dropFirst(slot, samples.lowerBound(slot, keepFrom))
    this.courseSlot = NONE
    this.options.frozen(slot, boundary)
  }

  private emitRaw(
    meter: number,
    slot: number,
    at: Micros,
    value: number,
    seq: number,
    quality: number,
    restating: boolean,
  ): void {
    const { sample, table } = this
    const { emitSample, cause } = this.options
    if (emitSample === undefined) return
    sample.tenant = table.tenants[meter]!
    sample.meterId = table.meterIds[meter]!
    sample.channel = table.channelOf(slot)
    sample.is(at, value, seq, quality)
    cause.restating = restating
    emitSample(slot, sample)
    cause.restating = false
  }
}
