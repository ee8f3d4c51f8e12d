import { goodSamples, shareOf, stretches, touches } from './register.ts'
import type { RegisterSample, Settled, Stretch } from './register.ts'
import { PANE, fixed, widthsOf } from './widths.ts'
import type { Width } from './widths.ts'

/** One series of the oracle: naive, from docs/design.md section 2 alone. Times in microseconds. */

export interface SeriesRules {
  readonly kind: 'gauge' | 'interval' | 'cumulative'
  /** Wh in one unit; undefined where it is none of energy. */
  readonly wattHours: number | undefined
  readonly label: 'start' | 'end'
  readonly lengthMicros: number | undefined
  readonly rolloverAt: number | undefined
  readonly gapMicrosMax: number
  readonly expectedMicros: number | undefined
  /** Of local days and months. */
  readonly zone: string
}

export interface Observation {
  readonly at: number
  readonly seq: number | null
  readonly value: number
  readonly quality: 'MEASURED' | 'ESTIMATED' | 'SUSPECT' | 'BAD'
}

export interface Row {
  readonly start: number
  readonly width: string
  readonly count: number
  readonly expected: number | null
  readonly completeness: number | null
  readonly sum: number | null
  readonly min: number | null
  readonly max: number | null
  readonly mean: number | null
  readonly first: number | null
  readonly last: number | null
  readonly stddev: number | null
  readonly energyWh: number | null
  readonly estimated: boolean
}

const QUALITY = ['BAD', 'SUSPECT', 'ESTIMATED', 'MEASURED']

export class OracleSeries {
  /** The winner of each identity that is not behind the frozen boundary, ascending. */
  private known: Observation[] = []
  /** Those that count and can change no more: days and months still hold them. */
  private readonly past: Observation[] = []
  private pastUpTo = -Infinity
  private settled: Settled | undefined
  private newestAt = -Infinity
  private readonly gaps: number[] = []
  private learned: number | undefined
  private readonly frozen = new Map<number, { energyWh: number; estimated: boolean }>()
  boundary = -Infinity

  readonly widths: readonly Width[]
  private readonly rules: SeriesRules

  constructor(rules: SeriesRules) {
    this.rules = rules
    this.widths = widthsOf(rules.zone)
  }

  get expectedMicros(): number | undefined {
    return this.rules.expectedMicros ?? this.learned
  }

  /** Takes one observation that is not late. Answers whether it is its identity's winner now. */
  take(observation: Observation): boolean {
    this.learn(observation.at)
    const index = this.known.findIndex((other) => other.at >= observation.at)
    const other = index < 0 ? undefined : this.known[index]
    if (other?.at !== observation.at) {
      this.known.splice(index < 0 ? this.known.length : index, 0, observation)
      return true
    }
    if (beats(other, observation)) return false
    this.known[index] = observation
    return true
  }

  private learn(at: number): void {
    if (at <= this.newestAt) return
    const gap = Math.round((at - this.newestAt) / 1e6)
    this.newestAt = at
    if (!Number.isFinite(gap) || gap === 0 || this.learned !== undefined) return
    this.gaps.push(gap)
    if (this.gaps.length < 12) return
    const sorted = this.gaps.toSorted((a, b) => a - b)
    this.learned = Math.round((sorted[5]! + sorted[6]!) / 2) * 1e6
  }

  /** How far before its label an amount's interval begins. */
  get shiftMicros(): number {
    if (this.rules.kind !== 'interval' || this.rules.label !== 'end') return 0
    return this.rules.lengthMicros ?? this.expectedMicros ?? 0
  }

  /** The start of what the observation stands for. */
  placeOf(at: number): number {
    return at - this.shiftMicros
  }

  private get register(): boolean {
    return this.rules.kind === 'cumulative' && this.rules.wattHours !== undefined
  }

  private samples(): RegisterSample[] {
    const scale = this.rules.wattHours ?? 1
    const after = this.settled?.last.at ?? -Infinity
    return this.known
      .filter((o) => o.quality !== 'BAD' && o.at > after)
      .map((o) => ({ at: o.at, value: o.value * scale }))
  }

  course(): Stretch[] {
    if (!this.register) return []
    const scale = this.rules.wattHours!
    const top = this.rules.rolloverAt
    return stretches(this.settled, this.samples(), {
      rolloverAtWh: top === undefined ? undefined : top * scale,
      gapMicrosMax: this.rules.gapMicrosMax,
    })
  }

  /** Starts of the windows with a sample or energy that end in (after, upTo], ascending. */
  starts(width: Width, after: number, upTo: number, course = this.course()): number[] {
    const found = new Set<number>()
    let seen: readonly [number, number] = [NaN, NaN]
    const see = (time: number) => {
      if (time >= seen[0] && time < seen[1]) return
      seen = width.holding(time)
      found.add(seen[0])
    }
    for (const o of this.known) if (o.quality !== 'BAD') see(this.placeOf(o.at))
    for (const s of course) {
      if (s.whole) {
        see(s.to)
        continue
      }
      for (let at = s.from; at < s.to; at = width.holding(at)[1]) see(at)
    }
    // The one that began behind the boundary may hold nothing else than what lies there.
    if (width.isLong && this.boundary !== -Infinity) {
      const [begun] = width.holding(this.boundary)
      if (this.hasPast(begun)) found.add(begun)
    }
    const ends = (start: number) => width.holding(start)[1]
    return [...found].filter((w) => ends(w) > after && ends(w) <= upTo).sort((a, b) => a - b)
  }

  private hasPast(start: number): boolean {
    if (this.pastUpTo >= start) return true
    for (let w = start; w < this.boundary; w += PANE) if (this.frozen.has(w)) return true
    return false
  }

  row(width: Width, start: number, course = this.course()): Row {
    const end = width.holding(start)[1]
    const values: number[] = []
    for (const list of width.isLong ? [this.past, this.known] : [this.known]) {
      for (const o of list) {
        const place = this.placeOf(o.at)
        if (place >= start && place < end && o.quality !== 'BAD') values.push(o.value)
      }
    }
    const [energyWh, estimated] = this.energy(values, start, end, course)
    const n = values.length
    const expected = this.expectedMicros === undefined ? null : (end - start) / this.expectedMicros
    const sum = values.reduce((a, b) => a + b, 0)
    const mean = sum / n
    const squares = values.reduce((a, b) => a + (b - mean) ** 2, 0)
    return {
      start,
      width: width.name,
      count: n,
      expected,
      completeness: expected === null ? null : Math.min(1, n / expected),
      sum: n === 0 ? null : sum,
      min: n === 0 ? null : values.reduce((a, b) => Math.min(a, b)),
      max: n === 0 ? null : values.reduce((a, b) => Math.max(a, b)),
      mean: n === 0 ? null : mean,
      first: n === 0 ? null : values[0]!,
      last: n === 0 ? null : values[n - 1]!,
      stddev: n < 2 ? null : Math.sqrt(squares / (n - 1)),
      energyWh,
      estimated,
    }
  }

  private energy(
    values: readonly number[],
    start: number,
    end: number,
    course: readonly Stretch[],
  ): [number | null, boolean] {
    const scale = this.rules.wattHours
    if (scale === undefined || this.rules.kind === 'gauge') return [null, false]
    if (this.rules.kind === 'interval') {
      return [values.length === 0 ? null : values.reduce((a, b) => a + b * scale, 0), false]
    }
    // An hour keeps what was given to its quarters before the boundary.
    let energy = 0
    let estimated = false
    for (let w = Math.floor(start / PANE) * PANE; w < end; w += PANE) {
      const given = end - start > PANE ? this.frozen.get(w) : undefined
      energy += given?.energyWh ?? 0
      estimated ||= given?.estimated ?? false
    }
    for (const s of course) {
      energy += shareOf(s, start, end)
      estimated ||= s.estimated && touches(s, start, end)
    }
    return [energy, estimated]
  }

  /** Moves the frozen boundary: what lies behind is settled as it is known now. */
  freeze(boundary: number): void {
    if (boundary <= this.boundary) return
    if (this.register) {
      const course = this.course()
      for (const w of this.starts(fixed('15m', PANE), -Infinity, boundary, course)) {
        if (w < this.boundary) continue
        const energyWh = course.reduce((a, s) => a + shareOf(s, w, w + PANE), 0)
        const estimated = course.some((s) => s.estimated && touches(s, w, w + PANE))
        this.frozen.set(w, { energyWh, estimated })
      }
      const good = goodSamples(this.settled?.last, this.samples())
      const last = good.findLast((s) => s.at < boundary) ?? this.settled?.last
      if (last !== undefined) {
        const before = last === this.settled?.last ? this.settled.givenWh : 0
        const now = course
          .filter((s) => s.from >= last.at && s.from < boundary)
          .reduce((a, s) => a + shareBefore(s, boundary), 0)
        this.settled = { last, boundary, givenWh: before + now }
      }
    }
    this.boundary = boundary
  }

  /** Forgets observations whose windows can no longer change. */
  forget(before: number): void {
    const undecided = this.register ? (this.settled?.last.at ?? -Infinity) : Infinity
    const isKnown = (o: Observation) => o.at > undecided || this.placeOf(o.at) >= before
    for (const o of this.known) {
      if (isKnown(o) || o.quality === 'BAD') continue
      this.past.push(o)
      this.pastUpTo = Math.max(this.pastUpTo, this.placeOf(o.at))
    }
    this.known = this.known.filter(isKnown)
  }
}

function shareBefore(s: Stretch, boundary: number): number {
  if (s.whole) return s.to < boundary ? s.energyWh : 0
  if (s.to <= boundary) return s.energyWh
  return (s.energyWh * (boundary - s.from)) / (s.to - s.from)
}

/** Whether `a`, the earlier in the log, stays before `b` on the same identity. */
function beats(a: Observation, b: Observation): boolean {
  const [seqA, seqB] = [a.seq ?? -Infinity, b.seq ?? -Infinity]
  if (seqA !== seqB) return seqA > seqB
  return QUALITY.indexOf(a.quality) > QUALITY.indexOf(b.quality)
}
