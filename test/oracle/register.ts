/**
 * The naive course of a register, from docs/design.md section 2 alone: plain objects, everything
 * computed again from the samples that are known.
 */

export interface RegisterSample {
  readonly at: number
  /** In Wh. */
  readonly value: number
}

/** What is settled behind the frozen boundary. */
export interface Settled {
  /**
   * The last good sample before the boundary, and the energy given to windows since the first
   * sample.
   */
  readonly last: RegisterSample
  /** The boundary, and how much of what follows `last` was given to windows before it. */
  readonly boundary: number
  readonly givenWh: number
}

/** Energy that runs evenly over [from, to). */
export interface Stretch {
  readonly from: number
  readonly to: number
  readonly energyWh: number
  readonly estimated: boolean
  /** Not spread: all of it counts at `to`. */
  readonly whole: boolean
}

/** A longer gap is not spread over windows, in microseconds. */
const SPREAD_MAX = 25 * 3_600_000_000

export interface RegisterRules {
  readonly rolloverAtWh: number | undefined
  readonly gapMicrosMax: number
}

/** The good ones among `samples` (ascending), given the good one before them. */
export function goodSamples(
  before: RegisterSample | undefined,
  samples: readonly RegisterSample[],
): RegisterSample[] {
  const good: RegisterSample[] = []
  let last = before
  samples.forEach((sample, i) => {
    if (last !== undefined && sample.value < last.value) {
      const next = samples[i + 1]
      const confirmed = next !== undefined && next.value >= sample.value && next.value < last.value
      if (!confirmed) return
    }
    good.push(sample)
    last = sample
  })
  return good
}

function difference(from: RegisterSample, to: RegisterSample, rules: RegisterRules): number {
  if (to.value >= from.value) return to.value - from.value
  const top = rules.rolloverAtWh
  if (top !== undefined && from.value > 0.9 * top && to.value < 0.1 * top) {
    return to.value + top - from.value
  }
  return to.value
}

/** The stretches between good samples from the boundary on, in order. */
export function stretches(
  settled: Settled | undefined,
  samples: readonly RegisterSample[],
  rules: RegisterRules,
): Stretch[] {
  const out: Stretch[] = []
  const good = goodSamples(settled?.last, samples)
  let previous = settled?.last
  let given = settled?.givenWh ?? 0
  for (const sample of good) {
    if (previous !== undefined) {
      const gap = sample.at - previous.at
      const from = Math.max(previous.at, settled?.boundary ?? -Infinity)
      // What is left of a gap that ends where it begins can be spread over nothing.
      const nothing = sample.at <= from
      out.push({
        from,
        to: sample.at,
        energyWh: difference(previous, sample, rules) - given,
        estimated: gap > SPREAD_MAX || (gap > rules.gapMicrosMax && !nothing),
        whole: gap > SPREAD_MAX || nothing,
      })
      given = 0
    }
    previous = sample
  }
  return out
}

/** The share of a stretch that falls into [start, end). */
export function shareOf(stretch: Stretch, start: number, end: number): number {
  if (stretch.whole) return stretch.to >= start && stretch.to < end ? stretch.energyWh : 0
  if (stretch.to <= start || stretch.from >= end) return 0
  const overlap = Math.min(stretch.to, end) - Math.max(stretch.from, start)
  return (stretch.energyWh * overlap) / (stretch.to - stretch.from)
}

/** Whether a stretch's energy is flagged in [start, end). */
export function touches(stretch: Stretch, start: number, end: number): boolean {
  if (stretch.whole) return stretch.to >= start && stretch.to < end
  return stretch.from < end && stretch.to > start
}
